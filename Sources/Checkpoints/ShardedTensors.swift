import Compression
import HDF5
import MessagePassing
import Tensors

/// One role of all parameters (values, an average, a moment) as a group of a file: one dataset per parameter, with the
/// parameter's shape, its `layout` and the checksum `crc32` of its bytes.
///
/// In memory, a role is a flat arena of which a rank holds some ranges; in the file, every tensor is a dataset, and
/// each rank writes or reads its parts of it.
package struct TensorGroup: Sendable {
  /// The group in the file, such as "model" or "ema/0.9999".
  package let path: String
  package let layout: ParameterLayout
  /// The ranges that this rank holds, in floats from the start of the arena; from left to right, without overlap.
  package let ranges: [Range<Int>]
  /// The floats of all ranges, one after another.
  package let values: FloatBuffer

  package init(path: String, layout: ParameterLayout, ranges: [Range<Int>], values: FloatBuffer) {
    precondition(values.count == ranges.reduce(0) { $0 + $1.count }, "the ranges and values have different counts")
    self.path = path
    self.layout = layout
    self.ranges = ranges
    self.values = values
  }

  /// A copy in a separate buffer.
  package func copied() -> TensorGroup {
    TensorGroup(path: path, layout: layout, ranges: ranges, values: Tensor(values).copied().buffer)
  }

  /// The parts of a tensor that this rank holds, from left to right: their ranges, counted from the tensor's first element,
  /// and their floats, which follow one another in memory.
  private func parts(of entry: ParameterEntry) -> (ranges: [Range<Int>], values: Tensor) {
    var parts: [Range<Int>] = []
    var (start, first) = (0, 0)
    for range in ranges {
      let overlap = entry.range.clamped(to: range)
      if !overlap.isEmpty {
        if parts.isEmpty { first = start + overlap.lowerBound - range.lowerBound }
        parts.append(overlap.lowerBound - entry.offset..<overlap.upperBound - entry.offset)
      }
      start += range.count
    }
    return (parts, values[first..<first + parts.reduce(0) { $0 + $1.count }])
  }

  /// Whether all of this rank's values are finite.
  package var isFinite: Bool { Tensor(values).isFinite }

  func datasetPath(_ entry: ParameterEntry) -> String { "\(path)/\(entry.name)" }

  /// Writes every tensor; each rank writes its parts. Collective over the file's ranks.
  /// - Parameter progress: called before each tensor.
  /// - Returns: the ranges of bytes of the file that the tensors occupy.
  @discardableResult
  package func write(
    to file: borrowing HDF5File, communicator: Communicator, progress: () -> Void = {}
  ) throws -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    let checksums = try tensorChecksums(communicator)
    for (entry, checksum) in zip(layout.entries, checksums) {
      try FaultPoint.saveWrite.pass(rank: communicator.rank)
      progress()
      let name = datasetPath(entry)
      let dataset = try file.createDataset(name, shape: entry.shape, type: .float32)
      let parts = parts(of: entry)
      try dataset.write(flatRanges: parts.ranges, from: parts.values, collective: true)
      if let start = try dataset.contiguousOffset() {
        ranges.append(start..<start + entry.count * MemoryLayout<Float>.stride)
      }
      try dataset.close()
      try file.writeAttribute("layout", entry.order.rawValue, of: name)
      try file.writeAttribute("crc32", checksum, of: name)
    }
    return ranges
  }

  /// Reads every tensor, each rank its parts, and verifies the checksums. Collective over the file's ranks.
  /// - Parameter communicator: the ranks that opened the file together; nil for this process alone.
  /// - Throws: `CheckpointError`, the same on all ranks, naming the tensor that is missing, of another shape, or damaged,
  ///   or the rank that cannot read. `MPIError`.
  package func read(from file: borrowing HDF5File, communicator: Communicator?) throws {
    for entry in layout.entries {
      // No rank may enter the collective read alone.
      try Checkpoint.together(communicator, file.path) {
        try FaultPoint.loadRead.pass(rank: communicator?.rank ?? 0)
        try check(entry, in: file)
      }
      try Checkpoint.together(communicator, file.path) {
        let dataset = try file.openDataset(datasetPath(entry))
        let parts = parts(of: entry)
        try dataset.read(flatRanges: parts.ranges, into: parts.values, collective: communicator != nil)
        try dataset.close()
      }
    }
    let checksums = try tensorChecksums(communicator)
    try Checkpoint.together(communicator, file.path) {
      for (entry, checksum) in zip(layout.entries, checksums) {
        let name = datasetPath(entry)
        guard try file.readAttribute("crc32", of: name, as: UInt32.self) == checksum else {
          throw CheckpointError(path: file.path, problem: "tensor \(name) is damaged: its checksum does not match")
        }
      }
    }
  }

  /// - Throws: `CheckpointError` if the file does not contain this tensor; `HDF5Error`.
  private func check(_ entry: ParameterEntry, in file: borrowing HDF5File) throws {
    let name = datasetPath(entry)
    guard try file.exists(name) else {
      throw CheckpointError(path: file.path, problem: "it has no tensor \(name), which this network requires")
    }
    let dataset = try file.openDataset(name)
    guard dataset.shape == entry.shape, dataset.type == .float32 else {
      throw CheckpointError(
        path: file.path,
        problem: "tensor \(name) is \(dataset.type.rawValue) \(dataset.shape), but this network requires float32 "
          + "\(entry.shape); was it trained with other model settings?")
    }
    try dataset.close()
  }

  /// CRC-32 of each whole tensor's bytes, combined from those of the parts. Collective; equal on all ranks.
  private func tensorChecksums(_ communicator: Communicator?) throws -> [UInt32] {
    // For each part: the tensor's index, the start, the length and the checksum.
    var mine: [Int] = []
    for (index, entry) in layout.entries.enumerated() {
      let (ranges, values) = parts(of: entry)
      var start = 0
      for range in ranges {
        let part = values[start..<start + range.count]
        mine += [
          index, range.lowerBound, range.count * MemoryLayout<Float>.stride, Int(part.withUnsafeBytes { crc32($0) }),
        ]
        start += range.count
      }
    }
    var all = mine
    if let communicator {
      all = try communicator.allGather(mine, counts: try communicator.allGather(mine.count))
    }
    let parts = stride(from: 0, to: all.count, by: 4).map { Array(all[$0..<$0 + 4]) }
      .sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }
    var checksums = [UInt32](repeating: 0, count: layout.entries.count)
    for part in parts {
      checksums[part[0]] = crc32Combine(checksums[part[0]], UInt32(part[3]), lengthOfSecond: part[2])
    }
    return checksums
  }
}
