import Foundation
import HDF5
import MessagePassing
import Tensors

private let shapes = [[1], [40], [3, 17], [5, 4, 6], [2, 3, 5, 7]]

/// A limit for which some of the ranges below take several calls into the library and others one.
private let smallTransfer = 200

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

let hdf5Checks: [Check] = [
  Check("ranks write their ranges of a shared file collectively, and each reads everything") { context in
    try verifySharedWriting(context, collective: true)
  },

  Check("ranks write their ranges of a shared file independently") { context in
    try verifySharedWriting(context, collective: false)
  },

  Check("ranks read different ranges collectively") { context in
    let path = context.folder.appendingPathComponent("ranges.h5").path
    let values = (0..<2 * 3 * 5 * 7).map { Int32($0 * $0) }
    let file = try HDF5File.create(path, communicator: context.communicator)
    do {
      var dataset = try file.createDataset("squares", shape: [2, 3, 5, 7], type: .int32)
      dataset.transferLimit = smallTransfer
      try dataset.writeAll(values, collective: true)
      try file.flush()
      for shift in 0..<10 {
        let start = (context.rank * 31 + shift * 13) % values.count
        let range = start..<min(start + shift * 20, values.count)
        let read = try dataset.read(flatRange: range, as: Int32.self, collective: true)
        try expectEqual(read, Array(values[range]))
      }
    }
    try file.close()
  },

  Check("attributes and groups of a shared file are read by all ranks and by a single process") { context in
    let path = context.folder.appendingPathComponent("attributes.h5").path
    let text = String(repeating: "schedule: cosine # ä\n", count: 5000)
    let file = try HDF5File.create(path, communicator: context.communicator)
    try file.createGroup("model/down")
    try file.writeAttribute("configuration", "replaced below")
    try file.writeAttribute("configuration", text)
    try file.writeAttribute("step", Int64(7), of: "model/down")
    try file.writeAttribute("checksum", UInt32.max, of: "model")
    try file.close()
    try verifyAttributes(of: try HDF5File.open(path, communicator: context.communicator), text)
    try verifyAttributes(of: try HDF5File.open(path), text)
  },

  Check("opening a missing shared file fails on all ranks and names it") { context in
    let path = context.folder.appendingPathComponent("missing.h5").path
    let error = try expectError(HDF5Error.self) {
      _ = try HDF5File.open(path, communicator: context.communicator)
    }
    try expectEqual(error.reason, .noSuchFile)
    try expect(error.description.contains(path), error.description)
  },

  Check("opening a shared file that is not HDF5 fails on all ranks and names it") { context in
    let path = context.folder.appendingPathComponent("text.h5").path
    if context.rank == 0 { try Data("not HDF5".utf8).write(to: URL(fileURLWithPath: path)) }
    try context.communicator.barrier()
    let error = try expectError(HDF5Error.self) {
      _ = try HDF5File.open(path, communicator: context.communicator)
    }
    try expectEqual(error.reason, .notHDF5)
    try expect(error.description.contains(path), error.description)
  },
]

/// Writes datasets of every shape and element type, distributed in every way, and reads them back in three ways.
private func verifySharedWriting(_ context: CheckContext, collective: Bool) throws {
  let path = context.folder.appendingPathComponent("shared-\(collective).h5").path
  let file = try HDF5File.create(path, exclusive: true, communicator: context.communicator)
  try forEachDataset { name, shape, type, division in
    let bytes = contents(shape, type)
    let range = division.ranges(of: shape.reduce(1, *), ranks: context.size)[context.rank]
    var dataset = try file.createDataset(name, shape: shape, type: type)
    dataset.transferLimit = smallTransfer
    let part = bytes[range.lowerBound * type.byteCount..<range.upperBound * type.byteCount]
    try dataset.writeBytes(
      flatRanges: [range], from: ByteTensor(Array(part), shape: [part.count]), collective: collective)
  }
  try file.flush()
  try file.close()
  try verifyContents(of: try HDF5File.open(path, communicator: context.communicator), collective: true)
  try verifyContents(of: try HDF5File.open(path, communicator: context.communicator), collective: false)
  try verifyContents(of: try HDF5File.open(path), collective: false)
}

private func verifyContents(of file: consuming HDF5File, collective: Bool) throws {
  try forEachDataset { name, shape, type, _ in
    let dataset = try file.openDataset(name)
    let bytes = ByteTensor(uninitialised: [dataset.count * type.byteCount])
    try dataset.readBytes(flatRanges: [0..<dataset.count], into: bytes, collective: collective)
    try expect(dataset.shape == shape && dataset.type == type, "\(name) has another shape or type")
    try expect(bytes.elements == contents(shape, type), "\(name) has other contents")
  }
  try file.close()
}

private func verifyAttributes(of file: consuming HDF5File, _ text: String) throws {
  try expectEqual(try file.readAttribute("configuration", as: String.self), text)
  try expectEqual(try file.readAttribute("step", of: "model/down", as: Int64.self), 7)
  try expectEqual(try file.readAttribute("checksum", of: "model", as: UInt32.self), UInt32.max)
  try expectEqual(try file.names(in: "model"), ["down"])
  try file.close()
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
