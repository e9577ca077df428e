import Foundation
import HDF5
import MessagePassing
import Ranks
import Tensors

private let shapes = [[1], [40], [3, 17], [5, 4, 6], [2, 3, 5, 7]]

/// How the elements of a dataset are distributed, in order, among the ranks.
private enum Division: CaseIterable {
  case even, onlyLast, onlyOdd

  func ranges(of count: Int, ranks: Int) -> [Range<Int>] {
    switch self {
    case .even:
      return (0..<ranks).map { count * $0 / ranks..<count * ($0 + 1) / ranks }
    case .onlyLast:
      return (0..<ranks).map { $0 == ranks - 1 ? 0..<count : 0..<0 }
    case .onlyOdd:
      // With one rank there is no odd one, and rank 0 takes everything.
      let writers = ranks == 1 ? [0] : Array(stride(from: 1, to: ranks, by: 2))
      return (0..<ranks).map { rank in
        guard let index = writers.firstIndex(of: rank) else { return 0..<0 }
        return count * index / writers.count..<count * (index + 1) / writers.count
      }
    }
  }
}

let sharedFileChecks: [Check] = [
  Check("ranks write their ranges of many datasets in one go, and each reads everything") { context in
    try verifySharedWriting(context, limit: nil)
  },

  Check("... also in several calls, of which some ranks need more than others") { context in
    try verifySharedWriting(context, limit: 200)
  },

  Check("ranks read different ranges in one go") { context in
    let path = context.folder.appendingPathComponent("ranges").path
    let values = (0..<2 * 3 * 5 * 7).map { Int32($0 * $0) }
    if context.rank == 0 { try values.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: path)) } }
    try context.communicator.barrier()
    var file = try SharedFile(path, communicator: context.communicator)
    file.transferLimit = 200
    var wrong: [Range<Int>] = []
    for shift in 0..<10 {
      let start = (context.rank * 31 + shift * 13) % values.count
      let range = start..<min(start + shift * 20, values.count)
      let read = TypedTensor<Int32>(shape: [range.count])
      try file.read(into: [FileSegment(offset: 4 * start, read)])
      if read.elements != Array(values[range]) { wrong.append(range) }
    }
    try file.close()
    try expectEqual(wrong, [])
  },

  Check("ranks write and read positions of more than 32 bits") { context in
    let path = context.folder.appendingPathComponent("sparse").path
    if context.rank == 0 { try Data().write(to: URL(fileURLWithPath: path)) }
    try context.communicator.barrier()
    let written = ByteTensor((0..<300).map { UInt8(($0 + context.rank) % 251) }, shape: [300])
    let read = ByteTensor(shape: [300])
    func segments(_ bytes: ByteTensor) -> [FileSegment] {
      [0, 3 << 30, 5 << 30].enumerated().map { part, start in
        FileSegment(offset: start + 100 * context.rank, bytes[100 * part..<100 * (part + 1)])
      }
    }
    let output = try SharedFile(path, writable: true, communicator: context.communicator)
    try output.write(segments(written))
    try output.close()
    try SharedFile.flush(path, communicator: context.communicator)
    let input = try SharedFile(path, communicator: context.communicator)
    try input.read(into: segments(read))
    try input.close()
    try expectEqual(read.elements, written.elements)
  },

  Check("a shared output takes elements in one go and from each rank alone, and attributes at its end") { context in
    let path = context.folder.appendingPathComponent("output.h5").path
    let count = 50
    let share = context.communicator.share(of: count)
    let output = try SharedOutput(path, byteCount: 1 << 16, communicator: context.communicator)
    let first = try output.define { file in try file.createDataset("first", shape: [count], type: .int32).location() }
    try output.write(share, of: first, from: numbers(share))
    let second = try output.define { file in
      try file.createDataset("more/second", shape: [count], type: .int32).location()
    }
    try output.write([second.segment(share, numbers(share))])
    try output.write(share, of: first, from: numbers(share))
    try output.publish { file in try file.writeAttribute("seed", Int64(3)) }
    try context.communicator.barrier()
    let file = try HDF5File.open(path)
    for name in ["first", "more/second"] {
      try expectEqual(try file.openDataset(name).readAll(as: Int32.self), (0..<Int32(count)).map(\.self))
    }
    try expectEqual(try file.readAttribute("seed", as: Int64.self), 3)
    try file.close()
  },

  Check("one rank of each host flushes a file for all") { context in
    // The system refuses to flush a file of /proc, so whoever tries fails.
    var failures = 0
    do { try SharedFile.flush("/proc/version", communicator: context.communicator) } catch { failures = 1 }
    let total = try context.communicator.allReduceSum(failures)
    let hosts = try context.communicator.allGather(encoding: context.communicator.processorName)
    try expectEqual(total, Set(hosts).count)
  },

  Check("opening a shared file makes no other file in its folder") { context in
    let folder = context.folder.appendingPathComponent("alone")
    let path = folder.appendingPathComponent("file").path
    let longAgo = Date(timeIntervalSince1970: 1_000_000_000)
    try context.communicator.onRankZero {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
      try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path))
      // A file that is made and removed again changes the folder's time too.
      try FileManager.default.setAttributes([.modificationDate: longAgo], ofItemAtPath: folder.path)
    }
    for writable in [true, false] {
      try SharedFile(path, writable: writable, communicator: context.communicator).close()
    }
    let attributes = try FileManager.default.attributesOfItem(atPath: folder.path)
    try expectEqual(attributes[.modificationDate] as? Date, longAgo)
  },

  Check("opening a missing shared file fails on all ranks and names it") { context in
    let path = context.folder.appendingPathComponent("missing.h5").path
    let error = try expectError(SharedFileError.self) {
      try SharedFile(path, communicator: context.communicator).close()
    }
    try expect(error.description.contains(path), error.description)
  },
]

private func numbers(_ range: Range<Int>) -> TypedTensor<Int32> {
  TypedTensor(range.map { Int32($0) }, shape: [range.count])
}

/// Writes datasets of every shape and element type, distributed in every way, and reads them back in two ways.
private func verifySharedWriting(_ context: CheckContext, limit: Int?) throws {
  let path = context.folder.appendingPathComponent("shared-\(limit ?? 0).h5").path
  let created = try context.communicator.onRankZero {
    let file = try HDF5File.create(path)
    var locations: [DatasetLocation] = []
    try forEachDataset { name, shape, type, _ in
      locations.append(try file.createDataset(name, shape: shape, type: type).location())
    }
    try file.close()
    return locations
  }
  let locations = try context.communicator.broadcast(encoding: created, from: 0)
  var segments: [FileSegment] = []
  var index = 0
  try forEachDataset { _, shape, type, division in
    let location = locations[index]
    index += 1
    let range = division.ranges(of: location.count, ranks: context.size)[context.rank]
    let part = contents(shape, type)[range.lowerBound * type.byteCount..<range.upperBound * type.byteCount]
    segments.append(
      FileSegment(offset: location.offset(of: range.lowerBound), ByteTensor(Array(part), shape: [part.count])))
  }
  var file = try SharedFile(path, writable: true, communicator: context.communicator)
  if let limit { file.transferLimit = limit }
  try file.write(segments)
  try file.close()
  try SharedFile.flush(path, communicator: context.communicator)

  var shared = try SharedFile(path, communicator: context.communicator)
  if let limit { shared.transferLimit = limit }
  let all = locations.map { ByteTensor(uninitialised: [$0.count * $0.type.byteCount]) }
  try shared.read(into: zip(locations, all).map { FileSegment(offset: $0.offset(of: 0), $1) })
  try shared.close()
  let single = try HDF5File.open(path)
  index = 0
  try forEachDataset { name, shape, type, _ in
    let expected = contents(shape, type)
    try expect(all[index].elements == expected, "\(name) has other contents")
    index += 1
    let dataset = try single.openDataset(name)
    let bytes = ByteTensor(uninitialised: [dataset.count * type.byteCount])
    try dataset.readBytes(flatRanges: [0..<dataset.count], into: bytes)
    try expect(dataset.shape == shape && dataset.type == type, "\(name) has another shape or type")
    try expect(bytes.elements == expected, "\(name) has other contents for libhdf5")
  }
  try single.close()
}

private func forEachDataset(_ body: (String, [Int], ElementType, Division) throws -> Void) throws {
  for shape in shapes {
    for type in [ElementType.float32, .float64, .int32, .uint8] {
      for division in Division.allCases { try body("\(division)/\(type)/\(shape)", shape, type, division) }
    }
  }
}

/// Bytes that differ from position to position.
private func contents(_ shape: [Int], _ type: ElementType) -> [UInt8] {
  (0..<shape.reduce(1, *) * type.byteCount).map { UInt8(($0 * 7 + shape.count) % 251) }
}
