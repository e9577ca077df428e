import Compression
import HDF5
import Tensors

/// The contents of a checkpoint file, and whether they are intact.
package struct CheckpointInspection: Sendable {
  package struct Group: Sendable {
    /// Such as "model" or "ema/0.9999".
    package let path: String
    package let tensorCount: Int
    package let elementCount: Int
    /// The tensors whose checksums do not match.
    package let damaged: [String]
  }

  package let header: CheckpointHeader
  /// Every group that contains tensors, sorted by name.
  package let groups: [Group]

  package var isWhole: Bool { groups.allSatisfy(\.damaged.isEmpty) }

  /// Reads every tensor of a checkpoint, whatever its name, and verifies its checksum. By this process alone.
  /// - Throws: `CheckpointError` if the file is missing, truncated or not a checkpoint.
  package init(path: String) throws {
    do {
      let file = try Checkpoint.openAlone(path)
      header = try Checkpoint.readHeader(from: file)
      guard try file.exists(CheckpointGroup.model) else {
        throw CheckpointError(path: path, problem: "it has no group \(CheckpointGroup.model)")
      }
      var walk = Walk()
      try walk.visit("", of: file, depth: 0)
      groups = walk.groups
    } catch let error as HDF5Error {
      throw CheckpointError(path: path, problem: error.message)
    }
  }

  /// A traversal of all groups of a file.
  private struct Walk {
    var groups: [Group] = []
    private var visited = 0
    private let values = Buffer<UInt8>(count: 1 << 20)

    /// More than any checkpoint has: a file whose groups contain themselves would never end.
    private static let maximumDepth = 8
    private static let maximumCount = 1 << 20

    mutating func visit(_ path: String, of file: borrowing HDF5File, depth: Int) throws {
      var (tensors, elements, damaged) = (0, 0, [String]())
      var inside: [String] = []
      for name in try file.names(in: path.isEmpty ? "/" : path) {
        let objectPath = path.isEmpty ? name : "\(path)/\(name)"
        visited += 1
        guard visited <= Self.maximumCount, depth < Self.maximumDepth else {
          throw CheckpointError(path: file.path, problem: "it has more groups than a checkpoint, such as \(objectPath)")
        }
        if try file.isGroup(objectPath) {
          inside.append(objectPath)
          continue
        }
        let dataset = try file.openDataset(objectPath)
        tensors += 1
        elements += dataset.count
        let isWhole =
          try file.attributeExists("crc32", of: objectPath)
          && file.readAttribute("crc32", of: objectPath, as: UInt32.self) == checksum(of: dataset)
        if !isWhole { damaged.append(objectPath) }
      }
      if tensors > 0 {
        groups.append(Group(path: path, tensorCount: tensors, elementCount: elements, damaged: damaged))
      }
      for objectPath in inside { try visit(objectPath, of: file, depth: depth + 1) }
    }

    /// CRC-32 of all elements, read in parts.
    private func checksum(of dataset: borrowing HDF5Dataset) throws -> UInt32 {
      let size = dataset.type.byteCount
      let step = values.count / size
      var result: UInt32 = 0
      for start in stride(from: 0, to: dataset.count, by: step) {
        let range = start..<min(start + step, dataset.count)
        let bytes = values[0..<range.count * size]
        try dataset.readBytes(flatRanges: [range], into: bytes)
        result = crc32Combine(result, bytes.withUnsafeBytes { crc32($0) }, lengthOfSecond: bytes.count)
      }
      return result
    }
  }
}
