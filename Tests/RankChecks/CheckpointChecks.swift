import Checkpoints
import Compression
import DataParallel
import Foundation
import HDF5
import MessagePassing
import Tensors

private let header = CheckpointHeader(step: 7, images: 448, imageShape: [8, 8, 1], configuration: "seed: 1\n")

let checkpointChecks: [Check] = [
  Check("a checkpoint written by all ranks is read by all, for any division among them") { context in
    let layout = makeLayout()
    let expected = makeArenas(layout)
    for (index, written) in divisions(layout, context.size).enumerated() {
      let path = context.folder.appendingPathComponent("checkpoint-\(index).h5").path
      try Checkpoint.save(
        to: path, header: header, groups: groups(expected, written[context.rank]), communicator: context.communicator)
      var wrong: String?
      for shards in divisions(layout, context.size) {
        let ranges = shards[context.rank]
        let loaded = groups(paths.map { _ in Arena(layout) }, ranges)
        let found = try Checkpoint.load(from: path, communicator: context.communicator) { _ in loaded }
        if found != header { wrong = "the header is \(found)" }
        for (group, original) in zip(loaded, expected) {
          for (value, element) in zip(0..<group.values.count, ranges.joined()) {
            if group.values[value].bitPattern != original[element].bitPattern {
              wrong = "\(group.path) differs at \(element)"
            }
          }
        }
      }
      if let wrong { throw CheckFailure(description: wrong) }
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: context.folder.path)
    try expect(!names.contains { $0.hasSuffix(".partial") }, "a temporary file is left among \(names)")
  },

  Check("a checkpoint's tensors and checksums equal those that one process writes") { context in
    let layout = makeLayout()
    let expected = makeArenas(layout)
    let path = context.folder.appendingPathComponent("checkpoint-together.h5").path
    try Checkpoint.save(
      to: path, header: header, groups: groups(expected, divisions(layout, context.size)[0][context.rank]),
      communicator: context.communicator)
    let file = try HDF5File.open(path)
    for (group, arena) in zip(paths, expected) {
      for entry in layout.entries {
        let name = "\(group)/\(entry.name)"
        let dataset = try file.openDataset(name)
        let values = try dataset.readAll(as: Float.self)
        try dataset.close()
        let original = arena.tensor(entry).elements
        try expect(values.map(\.bitPattern) == original.map(\.bitPattern), "\(name) has other contents")
        try expectEqual(
          try file.readAttribute("crc32", of: name, as: UInt32.self), original.withUnsafeBytes { crc32($0) })
        try expectEqual(try file.readAttribute("layout", of: name, as: String.self), entry.order.rawValue)
      }
    }
    try file.close()
    try expect(try CheckpointInspection(path: path).isWhole, "the inspection finds damage")
  },

  Check("a save and a load make as many collective calls for many tensors as for one") { context in
    var calls: [[Int]] = []
    for tensorCount in [1, 300] {
      var layout = ParameterLayout()
      for index in 0..<tensorCount { _ = layout.add("tensor.\(index)", shape: [50], order: .c) }
      let shard = divisions(layout, context.size)[0][context.rank]
      let saved = groups(paths.map { _ in Arena(layout) }, shard)
      let path = context.folder.appendingPathComponent("checkpoint-calls.h5").path
      let start = context.communicator.waits.count
      try Checkpoint.save(to: path, header: header, groups: saved, communicator: context.communicator)
      let middle = context.communicator.waits.count
      _ = try Checkpoint.load(from: path, communicator: context.communicator) { _ in saved }
      calls.append([middle - start, context.communicator.waits.count - middle])
    }
    try expectEqual(calls[1], calls[0])
    try expect(calls[0].allSatisfy { $0 > 0 }, "no calls were counted")
  },

  Check("all ranks refuse a damaged checkpoint with the same message, and can read another one") { context in
    let layout = makeLayout()
    let expected = makeArenas(layout)
    let shard = divisions(layout, context.size)[0][context.rank]
    let path = context.folder.appendingPathComponent("checkpoint-damaged.h5").path
    func save() throws {
      try Checkpoint.save(
        to: path, header: header, groups: groups(expected, shard), communicator: context.communicator)
    }
    try save()
    let entry = layout.entries[1]
    try context.communicator.together {
      guard context.rank == 0 else { return }
      let url = URL(fileURLWithPath: path)
      var data = try Data(contentsOf: url)
      let bytes = expected[1].tensor(entry).elements.withUnsafeBytes { Data($0) }
      guard let range = data.range(of: bytes) else { throw CheckFailure(description: "the tensor is not in the file") }
      data[range.upperBound - 1] ^= 1
      try data.write(to: url)
    }
    let loaded = paths.map { _ in Arena(layout) }
    func load() throws -> CheckpointHeader {
      try Checkpoint.load(from: path, communicator: context.communicator) { _ in groups(loaded, shard) }
    }
    let error = try expectError(CheckpointError.self) { _ = try load() }
    let problems = try context.communicator.allGather(encoding: error.problem)
    try save()
    let found = try load()
    try expectEqual(found, header)
    try expect(Set(problems).count == 1, "ranks disagree: \(problems)")
    try expect(problems[0].contains("\(paths[1])/\(entry.name) is damaged"), problems[0])
  },

  Check("a missing checkpoint and a missing folder are the same error on all ranks") { context in
    let layout = makeLayout()
    let arenas = makeArenas(layout)
    let shard = divisions(layout, context.size)[0][context.rank]
    let path = context.folder.appendingPathComponent("nowhere/checkpoint.h5").path
    let loading = try expectError(CheckpointError.self) {
      _ = try Checkpoint.load(from: path, communicator: context.communicator) { _ in groups(arenas, shard) }
    }
    let saving = try expectError(CheckpointError.self) {
      try Checkpoint.save(
        to: path, header: header, groups: groups(arenas, shard), communicator: context.communicator)
    }
    let rehearsing = try expectError(CheckpointError.self) {
      try Checkpoint.rehearse(path: path, groups: groups(arenas, shard), communicator: context.communicator)
    }
    let texts = try context.communicator.allGather(encoding: "\(loading)\n\(saving)\n\(rehearsing)")
    try expect(Set(texts).count == 1, "ranks disagree: \(texts)")
    try expect([loading, saving, rehearsing].allSatisfy { $0.path == path }, texts[0])
  },
]

private let paths = ["model", "ema/0.995", "optimizer/first_moment"]

/// Tensors that start and end in the middle of shards, one longer than a shard and several inside one.
private func makeLayout() -> ParameterLayout {
  var layout = ParameterLayout()
  _ = layout.add("conv_in.weight", shape: [3, 3, 3, 32], order: .hwio)
  _ = layout.add("conv_in.bias", shape: [33], order: .c)
  _ = layout.add("mid.weight", shape: [3, 3, 31, 64], order: .hwio)
  _ = layout.add("time.weight", shape: [65, 129], order: .io)
  _ = layout.add("conv_out.bias", shape: [1], order: .c)
  return layout
}

private func makeArenas(_ layout: ParameterLayout) -> [Arena] {
  paths.indices.map { index in
    let arena = Arena(layout)
    for (tensor, entry) in layout.entries.enumerated() {
      RandomStream(seed: 3, purpose: .noise, sample: index, detail: tensor)
        .fillNormal(arena.tensor(entry))
    }
    return arena
  }
}

private func groups(_ arenas: [Arena], _ ranges: [Range<Int>]) -> [TensorGroup] {
  zip(paths, arenas).map { path, arena in
    let values = FloatBuffer(count: ranges.reduce(0) { $0 + $1.count })
    for (index, element) in ranges.joined().enumerated() { values[index] = arena[element] }
    return TensorGroup(path: path, layout: arena.layout, ranges: ranges, values: values)
  }
}

/// Divisions of an arena among the ranks: as in training, all to one rank, unevenly inside tensors, and alternating.
private func divisions(_ layout: ParameterLayout, _ ranks: Int) -> [[[Range<Int>]]] {
  let count = layout.arenaCount
  let sharding = Sharding(arenaCount: count, grid: .flat(ranks))
  return [
    (0..<ranks).map { sharding.pieces(ofRank: $0).map(\.range) },
    (0..<ranks).map { $0 == ranks - 1 ? [0..<count] : [] },
    (0..<ranks).map { [count * $0 * $0 / (ranks * ranks)..<count * ($0 + 1) * ($0 + 1) / (ranks * ranks)] },
    // Alternating pieces of 100 floats.
    (0..<ranks).map { rank in
      stride(from: rank * 100, to: count, by: ranks * 100).map { $0..<min($0 + 100, count) }
    },
  ]
}
