import Compression
import Glibc
import HDF5
import MessagePassing
import Tensors

/// One role of all parameters (values, an average, a moment) as a group of a file: a dataset per parameter, with its
/// true shape, its `layout` and the checksum `crc32` of its bytes.
///
/// In memory a role is a flat arena of which a rank holds a shard; in the file every tensor stands alone, and each rank
/// writes or reads the part of it that lies in its shard.
public struct TensorGroup: Sendable {
  /// The group in the file, such as "model" or "ema/0.9999".
  public let path: String
  public let layout: ParameterLayout
  /// What this rank holds, in floats from the start of the arena.
  public let shard: Range<Int>
  /// The shard's first float.
  public nonisolated(unsafe) let values: UnsafeMutablePointer<Float>

  /// - Parameter values: the shard's first float; it must outlive the group.
  public init(path: String, layout: ParameterLayout, shard: Range<Int>, values: UnsafeMutablePointer<Float>) {
    self.path = path
    self.layout = layout
    self.shard = shard
    self.values = values
  }

  /// The part of a tensor that this rank holds, counted from the tensor's first element.
  func part(of entry: ParameterEntry) -> Range<Int> {
    let overlap = entry.range.clamped(to: shard)
    return overlap.isEmpty ? 0..<0 : overlap.lowerBound - entry.offset..<overlap.upperBound - entry.offset
  }

  func pointer(to part: Range<Int>, of entry: ParameterEntry) -> UnsafeMutablePointer<Float> {
    part.isEmpty ? values : values + entry.offset + part.lowerBound - shard.lowerBound
  }

  /// Whether this rank's shard has neither infinities nor NaN.
  public var isFinite: Bool {
    // Anything finite times zero is zero; the rest makes a NaN, which stays.
    var zeros = SIMD16<Float>()
    var index = 0
    while index + 16 <= shard.count {
      zeros += UnsafeRawPointer(values + index).loadUnaligned(as: SIMD16<Float>.self) * 0
      index += 16
    }
    var isFinite = zeros == SIMD16()
    while index < shard.count {
      isFinite = isFinite && values[index].isFinite
      index += 1
    }
    return isFinite
  }

  func datasetPath(_ entry: ParameterEntry) -> String { "\(path)/\(entry.name)" }

  /// Writes every tensor, each rank its part. Collective over the file's ranks.
  public func write(to file: borrowing HDF5File, communicator: Communicator) throws {
    let checksums = try tensorChecksums(communicator)
    for (entry, checksum) in zip(layout.entries, checksums) {
      let name = datasetPath(entry)
      let dataset = try file.createDataset(name, shape: entry.shape, type: .float32)
      let part = part(of: entry)
      try dataset.write(flatRange: part, from: pointer(to: part, of: entry), collective: true)
      try dataset.close()
      try file.writeAttribute("layout", entry.order.rawValue, of: name)
      try file.writeAttribute("crc32", checksum, of: name)
    }
  }

  /// Reads every tensor, each rank its part, and compares checksums. Collective over the file's ranks.
  /// - Parameter communicator: the ranks that opened the file together; nil for this process alone.
  /// - Throws: `CheckpointError` naming the tensor that is missing, of another shape, or damaged.
  public func read(from file: borrowing HDF5File, communicator: Communicator?) throws {
    for entry in layout.entries {
      let name = datasetPath(entry)
      guard try file.exists(name) else {
        throw CheckpointError(path: file.path, problem: "it has no tensor \(name), which this network needs")
      }
      let dataset = try file.openDataset(name)
      guard dataset.shape == entry.shape, dataset.type == .float32 else {
        throw CheckpointError(
          path: file.path,
          problem: "tensor \(name) is \(dataset.type.rawValue) \(dataset.shape), but this network needs float32 "
            + "\(entry.shape); was it trained with other model settings?")
      }
      let part = part(of: entry)
      try dataset.read(flatRange: part, into: pointer(to: part, of: entry), collective: communicator != nil)
      try dataset.close()
    }
    let checksums = try tensorChecksums(communicator)
    for (entry, checksum) in zip(layout.entries, checksums) {
      let name = datasetPath(entry)
      guard try file.readAttribute("crc32", of: name, as: UInt32.self) == checksum else {
        throw CheckpointError(path: file.path, problem: "tensor \(name) is damaged: its checksum does not match")
      }
    }
  }

  /// CRC-32 of each whole tensor's bytes, put together from those of the parts. Collective; equal on all ranks.
  private func tensorChecksums(_ communicator: Communicator?) throws -> [UInt32] {
    let count = layout.entries.count
    let (rank, size) = (communicator?.rank ?? 0, communicator?.size ?? 1)
    // Per rank and tensor the checksum and the number of bytes; doubles hold both exactly.
    var parts = [Double](repeating: 0, count: 2 * count * size)
    let mine = 2 * count * rank
    for (index, entry) in layout.entries.enumerated() {
      let part = part(of: entry)
      let bytes = UnsafeRawBufferPointer(
        start: pointer(to: part, of: entry), count: part.count * MemoryLayout<Float>.stride)
      parts[mine + 2 * index] = Double(crc32(bytes))
      parts[mine + 2 * index + 1] = Double(bytes.count)
    }
    try parts.withUnsafeMutableBufferPointer { buffer in
      try communicator?.allGatherVariable(
        inPlace: buffer.baseAddress!, counts: [Int](repeating: 2 * count, count: size),
        displacements: (0..<size).map { 2 * count * $0 })
    }
    return (0..<count).map { index in
      (0..<size).reduce(UInt32(0)) { checksum, rank in
        let at = 2 * (count * rank + index)
        return crc32Combine(checksum, UInt32(parts[at]), lengthOfSecond: Int(parts[at + 1]))
      }
    }
  }
}
