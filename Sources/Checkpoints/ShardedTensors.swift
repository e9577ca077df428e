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

  /// The parts of a tensor that this rank holds, from left to right: their ranges, counted from the tensor's first
  /// element, and their floats.
  private func parts(of entry: ParameterEntry) -> [(range: Range<Int>, values: Tensor)] {
    var parts: [(range: Range<Int>, values: Tensor)] = []
    var start = 0
    for range in ranges {
      let overlap = entry.range.clamped(to: range)
      if !overlap.isEmpty {
        let first = start + overlap.lowerBound - range.lowerBound
        parts.append(
          (overlap.lowerBound - entry.offset..<overlap.upperBound - entry.offset, values[first..<first + overlap.count])
        )
      }
      start += range.count
    }
    return parts
  }

  /// Whether all of this rank's values are finite.
  package var isFinite: Bool { Tensor(values).isFinite }

  func datasetPath(_ entry: ParameterEntry) -> String { "\(path)/\(entry.name)" }

  /// Creates a dataset for every tensor, with its attributes; one rank does. The elements are undefined until all ranks
  /// have written their `segments`.
  /// - Parameter checksums: those of all tensors.
  /// - Returns: the positions in the file where the tensors begin, in bytes.
  package func createDatasets(in file: borrowing HDF5File, checksums: [UInt32]) throws(HDF5Error) -> [Int] {
    precondition(checksums.count == layout.entries.count, "there must be one checksum per tensor")
    var offsets: [Int] = []
    for (entry, checksum) in zip(layout.entries, checksums) {
      let name = datasetPath(entry)
      let dataset = try file.createDataset(name, shape: entry.shape, type: .float32)
      offsets.append(try dataset.location().offset)
      try dataset.close()
      try file.writeAttribute("layout", entry.order.rawValue, of: name)
      try file.writeAttribute("crc32", checksum, of: name)
    }
    return offsets
  }

  /// This rank's parts of all tensors, to be written to a file or read from it.
  /// - Parameter offsets: the positions in the file where the tensors begin, in bytes.
  package func segments(at offsets: [Int]) -> [FileSegment] {
    precondition(offsets.count == layout.entries.count, "there must be one position per tensor")
    var segments: [FileSegment] = []
    for (entry, offset) in zip(layout.entries, offsets) {
      for (range, values) in parts(of: entry) {
        segments.append(FileSegment(offset: offset + range.lowerBound * MemoryLayout<Float>.stride, values))
      }
    }
    return segments
  }

  /// The ranges of bytes of a file that the tensors occupy.
  func contents(at offsets: [Int]) -> [Range<Int>] {
    zip(layout.entries, offsets).map { entry, offset in offset..<offset + entry.count * MemoryLayout<Float>.stride }
  }

  /// Where a file has the tensors: the positions where they begin, in bytes, and their checksums there. For one rank.
  /// - Throws: `CheckpointError`, naming the tensor that is missing or of another shape; `HDF5Error`.
  func find(in file: borrowing HDF5File) throws -> (offsets: [Int], checksums: [UInt32]) {
    var (offsets, checksums): ([Int], [UInt32]) = ([], [])
    for entry in layout.entries {
      let dataset = try openDataset(of: entry, in: file)
      offsets.append(try dataset.location().offset)
      try dataset.close()
      checksums.append(try file.readAttribute("crc32", of: datasetPath(entry), as: UInt32.self))
    }
    return (offsets, checksums)
  }

  /// Reads every tensor of a file that this process alone has open, and verifies the checksums.
  /// - Throws: `CheckpointError`, naming the tensor that is missing, of another shape, or damaged.
  package func read(from file: borrowing HDF5File) throws {
    try Checkpoint.alone(file.path) {
      var stored: [UInt32] = []
      for entry in layout.entries {
        try FaultPoint.loadRead.pass(rank: 0)
        let dataset = try openDataset(of: entry, in: file)
        for (range, values) in parts(of: entry) { try dataset.read(flatRanges: [range], into: values) }
        try dataset.close()
        stored.append(try file.readAttribute("crc32", of: datasetPath(entry), as: UInt32.self))
      }
      try verify(Self.combine(Self.checksumsOfParts([self]), of: [self])[0], against: stored, path: file.path)
    }
  }

  /// - Throws: `CheckpointError` if the file does not contain this tensor; `HDF5Error`.
  private func openDataset(of entry: ParameterEntry, in file: borrowing HDF5File) throws -> HDF5Dataset {
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
    return dataset
  }
}

// CRC-32 of the bytes of whole tensors, combined from those of the ranks' parts.
extension TensorGroup {
  /// The checksums of all tensors of some groups. Collective.
  /// - Parameter progress: called before each tensor.
  /// - Returns: a list for each group on rank 0, nil on other ranks.
  package static func checksums(
    of groups: [TensorGroup], _ communicator: Communicator, progress: () -> Void = {}
  ) throws(MPIError) -> [[UInt32]]? {
    let mine = checksumsOfParts(groups, progress: progress)
    let all = try communicator.gather(mine.flatMap(\.numbers), to: 0)
    return all.map { combine(PartChecksum.all(in: $0), of: groups) }
  }

  /// - Throws: `CheckpointError` for the first tensor with another checksum than the file says.
  func verify(_ checksums: [UInt32], against stored: [UInt32], path: String) throws(CheckpointError) {
    for (entry, (checksum, expected)) in zip(layout.entries, zip(checksums, stored)) where checksum != expected {
      throw CheckpointError(
        path: path, problem: "tensor \(datasetPath(entry)) is damaged: its checksum does not match")
    }
  }

  /// Those of the parts that this rank holds.
  private static func checksumsOfParts(_ groups: [TensorGroup], progress: () -> Void = {}) -> [PartChecksum] {
    var result: [PartChecksum] = []
    var tensor = 0
    for group in groups {
      for entry in group.layout.entries {
        progress()
        for (range, values) in group.parts(of: entry) {
          result.append(
            PartChecksum(
              tensor: tensor, start: range.lowerBound, byteCount: range.count * MemoryLayout<Float>.stride,
              checksum: values.withUnsafeBytes { crc32($0) }))
        }
        tensor += 1
      }
    }
    return result
  }

  /// - Parameter parts: those of all ranks, in any order.
  private static func combine(_ parts: [PartChecksum], of groups: [TensorGroup]) -> [[UInt32]] {
    var checksums = [UInt32](repeating: 0, count: groups.reduce(0) { $0 + $1.layout.entries.count })
    for part in parts.sorted(by: { ($0.tensor, $0.start) < ($1.tensor, $1.start) }) {
      checksums[part.tensor] = crc32Combine(checksums[part.tensor], part.checksum, lengthOfSecond: part.byteCount)
    }
    return divided(checksums, among: groups)
  }

  /// Values of all tensors, one list for each group.
  static func divided<Value>(_ values: [Value], among groups: [TensorGroup]) -> [[Value]] {
    var rest = values[...]
    return groups.map { group in
      defer { rest = rest.dropFirst(group.layout.entries.count) }
      return Array(rest.prefix(group.layout.entries.count))
    }
  }
}

/// The checksum of the part of a tensor that a rank holds.
private struct PartChecksum {
  /// The tensor's number among those of all groups.
  let tensor: Int
  /// The part's first element.
  let start: Int
  let byteCount: Int
  let checksum: UInt32

  /// What ranks send of it.
  var numbers: [Int] { [tensor, start, byteCount, Int(checksum)] }

  /// - Parameter numbers: those of several parts, one after another.
  static func all(in numbers: [Int]) -> [PartChecksum] {
    stride(from: 0, to: numbers.count, by: 4).map {
      PartChecksum(
        tensor: numbers[$0], start: numbers[$0 + 1], byteCount: numbers[$0 + 2], checksum: UInt32(numbers[$0 + 3]))
    }
  }
}
