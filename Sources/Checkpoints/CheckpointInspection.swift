import Compression
import HDF5
import Tensors

/// What a checkpoint file holds, and whether it is whole.
public struct CheckpointInspection: Sendable {
  public struct Group: Sendable {
    /// Such as "model" or "ema/0.9999".
    public let path: String
    public let tensorCount: Int
    public let elementCount: Int
    /// Tensors whose bytes do not match their checksums.
    public let damaged: [String]
  }

  public let header: CheckpointHeader
  public let groups: [Group]

  public var isWhole: Bool { groups.allSatisfy(\.damaged.isEmpty) }

  /// Reads every tensor of a checkpoint and compares its checksum. By this process alone.
  /// - Throws: `CheckpointError` if the file is missing, cut short or no checkpoint.
  public init(path: String) throws {
    do {
      try self.init(reading: path)
    } catch let error as HDF5Error {
      throw CheckpointError(path: path, problem: error.message)
    }
  }

  private init(reading path: String) throws {
    let file = try Checkpoint.openAlone(path)
    header = try Checkpoint.readHeader(from: file)
    var paths = ["model"]
    if try file.exists("ema") { paths += try file.names(in: "ema").map { "ema/\($0)" } }
    if try file.exists("optimizer") { paths += try file.names(in: "optimizer").map { "optimizer/\($0)" } }
    var groups: [Group] = []
    for group in paths {
      guard try file.exists(group) else { throw CheckpointError(path: path, problem: "it has no group \(group)") }
      var damaged: [String] = []
      var elements = 0
      let names = try file.names(in: group)
      for name in names {
        let dataset = try file.openDataset("\(group)/\(name)")
        elements += dataset.count
        let values = FloatBuffer(count: dataset.count)
        try dataset.read(flatRange: 0..<dataset.count, into: values.pointer)
        let bytes = UnsafeRawBufferPointer(start: values.pointer, count: dataset.count * MemoryLayout<Float>.stride)
        let expected = try file.readAttribute("crc32", of: "\(group)/\(name)", as: UInt32.self)
        if crc32(bytes) != expected { damaged.append("\(group)/\(name)") }
        withExtendedLifetime(values) {}
      }
      groups.append(Group(path: group, tensorCount: names.count, elementCount: elements, damaged: damaged))
    }
    self.groups = groups
  }
}
