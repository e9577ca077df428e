import Configuration
import DataParallel
import MessagePassing
import Ranks
import Tensors
import Training

let exchangeChecks: [Check] = [
  Check("gradients are summed in the order of the tree, on any number of ranks") { context in
    // With three blocks, some of five and eight ranks have none. With as many micro-batches as ranks, shared memory can
    // be released while gradients are summed.
    for (microBatches, blocks) in [(8, 3), (9, 3), (13, 20), (8, 20), (context.size, 3), (context.size, 64 * 5 + 3)] {
      for arrangement in arrangements(context) {
        try verifyGradientSums(context, microBatches: microBatches, blocks: blocks, steps: 3, arrangement)
      }
    }
  },

  Check("more buckets than are exchanged at a time are summed in the same order") { context in
    for arrangement in arrangements(context) {
      try verifyGradientSums(context, microBatches: 9, blocks: 64 * 20 + 5, steps: 2, arrangement)
    }
  },

  Check("sums that are rounded between nodes have no other error") { context in
    for arrangement in arrangements(context) {
      var rounding = arrangement
      rounding.wire = .bfloat16
      try verifyGradientSums(context, microBatches: 9, blocks: 64 * 20 + 5, steps: 2, rounding)
    }
  },

  Check("numbers in shared memory are zeros for all ranks once one has released them") { context in
    let size = 100_000
    let memory = try NodeMemory(
      of: context.communicator, counts: [Int](repeating: 1, count: context.size), size: size)
    let own = memory.buffers[context.rank][0]
    for index in 0..<size { own[index] = 1 }
    try context.communicator.barrier()
    // Not whole pages; and less than one, which is not released.
    let released = 10_000..<80_001
    let next = memory.buffers[(context.rank + 1) % context.size][0]
    let (isReleased, isSmallReleased) = (
      NodeMemory.release(released, of: next), NodeMemory.release(90_001..<90_020, of: next)
    )
    try context.communicator.barrier()
    let wrong = (0..<size).first { own[$0] != (isReleased && released.contains($0) ? 0 : 1) }
    try expect(isReleased && !isSmallReleased, "one page or more is released, less is not")
    try expect(wrong == nil, "number \(wrong ?? 0) is \(own[wrong ?? 0])")
  },

  Check("each rank gets the others' parameters") { context in
    for arrangement in arrangements(context) {
      for blocks in [3, 20, 64 * 20 + 5] { try verifyParameterExchange(context, blocks: blocks, arrangement) }
    }
  },

  Check("MPI_Allreduce gives the sums of the tree, up to rounding") { context in
    for (microBatches, floats) in [(8, 3 * 4096), (13, 20 * 4096)] {
      try verifyPlainSums(context, microBatches: microBatches, floats: floats, steps: 2)
    }
  },
]

/// A gradient for which every order of additions gives different bits: magnitudes range over 2¹⁶.
private func gradient(microBatch: Int, step: Int, element: Int) -> Float {
  var word = UInt64(bitPattern: Int64(element &* 1009 &+ microBatch &* 31 &+ step)) &* 0x9E37_79B9_7F4A_7C15
  word ^= word >> 29
  word = word &* 0xBF58_476D_1CE4_E5B9
  word ^= word >> 32
  let fraction = Float(word & 0xFF_FFFF) * 0x1p-23 - 1
  return fraction * Float(sign: .plus, exponent: Int(word >> 24 & 15) - 8, significand: 1)
}

private func addGradient(to leaf: Arena, microBatch: Int, step: Int) {
  for element in 0..<leaf.count {
    leaf[element] += gradient(microBatch: microBatch, step: step, element: element)
  }
}

/// The bound for the error of a sum over all micro-batches.
private func sumOfSizes(_ microBatches: Int, step: Int, element: Int) -> Float {
  (0..<microBatches).reduce(0) { $0 + abs(gradient(microBatch: $1, step: step, element: element)) }
}

/// Sums of 13 numbers in single precision, in two orders: each addition adds an error of at most 2⁻²⁴ of a partial sum.
private let plainSumTolerance: Float = 13 * 0x1p-24

/// The sum of one element over `leaves`: the left child of a node has the largest power of two of leaves below the
/// node's number of leaves.
private func treeSum(_ leaves: Range<Int>, step: Int, element: Int) -> Float {
  if leaves.count == 1 { return gradient(microBatch: leaves.lowerBound, step: step, element: element) }
  var half = 1
  while 2 * half < leaves.count { half *= 2 }
  let middle = leaves.lowerBound + half
  return treeSum(leaves.lowerBound..<middle, step: step, element: element)
    + treeSum(middle..<leaves.upperBound, step: step, element: element)
}

/// All arrangements of the ranks on nodes, with messages that progress in the background or only while waiting, with and
/// without memory that the ranks of a node share, and give back.
func arrangements(_ context: CheckContext) -> [DataParallelTrainer.Arrangement] {
  (1...context.size).filter { context.size.isMultiple(of: $0) }.flatMap { nodes in
    [true, false].flatMap { overlaps in
      [(true, true), (true, false), (false, false)].map { sharesMemory, releasesGradients in
        var arrangement = DataParallelTrainer.Arrangement()
        arrangement.overlaps = overlaps
        arrangement.grid = RankGrid(nodes: nodes, slots: context.size / nodes)
        arrangement.sharesMemory = sharesMemory
        arrangement.releasesGradients = releasesGradients
        return arrangement
      }
    }
  }
}

/// The memory that the ranks of this rank's node share; nil if they share none.
/// - Parameter counts: the number of buffers of each rank of the node.
private func nodeMemory(
  _ context: CheckContext, _ arrangement: DataParallelTrainer.Arrangement, counts: [Int], size: Int
) throws -> [[FloatBuffer]]? {
  guard arrangement.sharesMemory, let grid = arrangement.grid else { return nil }
  let ranks = try context.communicator.split(group: grid.node(of: context.rank))!
  let memory = try NodeMemory(of: ranks.communicator, counts: counts, size: size)
  try ranks.close()
  return memory.buffers
}

/// Parameters of several sizes, some of them across bucket boundaries, that fill whole blocks.
private func layout(blocks: Int) -> ParameterLayout {
  var layout = ParameterLayout()
  let floats = blocks * ParameterLayout.blockSize
  let first = floats / 5 / 16 * 16
  _ = layout.add("first", shape: [first], order: .c)
  _ = layout.add("small", shape: [16], order: .c)
  _ = layout.add("rest", shape: [floats - first - 16], order: .c)
  return layout
}

private func verifyGradientSums(
  _ context: CheckContext, microBatches: Int, blocks: Int, steps: Int, _ arrangement: DataParallelTrainer.Arrangement
) throws {
  let layout = layout(blocks: blocks)
  let floats = layout.arenaCount
  let tree = MicroBatchTree(leafCount: microBatches)
  let sharding = Sharding(arenaCount: floats, grid: arrangement.grid!)
  let loop = ProgressLoop(isBackground: arrangement.overlaps)
  defer { loop.stop() }
  let counts = TreeGradientSum.bufferCounts(
    tree: tree, grid: sharding.grid, node: sharding.grid.node(of: context.rank))
  let averaging = TreeGradientSum(
    layout: layout, tree: tree, sharding: sharding, communicator: context.communicator,
    workers: WorkerPool(threadCount: 2), loop: loop, wire: arrangement.wire,
    shared: try nodeMemory(context, arrangement, counts: counts, size: floats),
    releasesGradients: arrangement.releasesGradients)
  // Each sum from another node has a relative error of at most 2⁻⁸; the sums of all nodes together are no larger than
  // the micro-batches' magnitudes.
  let roundsAnything = arrangement.wire == .bfloat16 && arrangement.grid!.nodeCount > 1
  var wrong: String?
  for step in 0..<steps {
    for microBatch in averaging.localMicroBatches {
      let leaf = averaging.leaf()
      addGradient(to: leaf, microBatch: microBatch, step: step)
      // As in a backward pass: from the end; one parameter is not used at all.
      for entry in layout.entries.reversed() where entry.name != "small" { averaging.parameterIsFinal(entry) }
      averaging.finishLeaf()
    }
    let sum = try averaging.finish()
    for piece in sharding.pieces(ofRank: context.rank) {
      for element in piece.range {
        let expected = treeSum(0..<microBatches, step: step, element: element)
        var tolerance: Float = 0
        if roundsAnything {
          tolerance = sumOfSizes(microBatches, step: step, element: element) * (0x1p-8 + plainSumTolerance)
        }
        let isRight =
          roundsAnything ? abs(sum[element] - expected) <= tolerance : sum[element].bitPattern == expected.bitPattern
        if !isRight {
          wrong = wrong ?? "step \(step), element \(element): \(sum[element]) instead of \(expected)"
        }
      }
    }
    try context.communicator.barrier()
  }
  if let wrong { throw CheckFailure(description: "\(microBatches) micro-batches of \(blocks) blocks: \(wrong)") }
}

private func verifyParameterExchange(
  _ context: CheckContext, blocks: Int, _ arrangement: DataParallelTrainer.Arrangement
) throws {
  let layout = layout(blocks: blocks)
  let grid = arrangement.grid!
  let counts = [1] + [Int](repeating: 0, count: grid.slotCount - 1)
  let shared = try nodeMemory(context, arrangement, counts: counts, size: layout.arenaCount)?[0][0]
  let arena = shared.map { Arena(layout, in: $0) } ?? Arena(layout)
  let sharding = Sharding(arenaCount: arena.count, grid: grid)
  let loop = ProgressLoop(isBackground: arrangement.overlaps)
  defer { loop.stop() }
  let exchange = ParameterExchange(
    sharding: sharding, rank: context.rank, communicator: context.communicator)
  var wrong: String?
  for round in 0..<3 {
    if shared == nil || grid.slot(of: context.rank) == 0 { arena.clear() }
    try context.communicator.barrier()
    for piece in sharding.pieces(ofRank: context.rank) {
      for element in piece.range { arena[element] = Float(element % 10_007 + round) }
    }
    exchange.begin(arena, isShared: shared != nil)
    loop.start(exchange)
    for (bucket, range) in sharding.buckets.enumerated() {
      try loop.wait { exchange.arrivedCount > bucket }
      for element in range where arena[element] != Float(element % 10_007 + round) {
        wrong = wrong ?? "round \(round), element \(element) is \(arena[element])"
      }
    }
    try loop.wait { exchange.isDone }
    try context.communicator.barrier()
  }
  if let wrong { throw CheckFailure(description: "\(blocks) blocks, \(arrangement): \(wrong)") }
}

private func verifyPlainSums(_ context: CheckContext, microBatches: Int, floats: Int, steps: Int) throws {
  var layout = ParameterLayout()
  _ = layout.add("all", shape: [floats], order: .c)
  let plain = PlainGradientSum(
    layout: layout, tree: MicroBatchTree(leafCount: microBatches),
    communicator: context.communicator.limitingMessages(to: 5000), workers: WorkerPool(threadCount: 2))
  var wrong: String?
  for step in 0..<steps {
    for microBatch in plain.localMicroBatches {
      let leaf = plain.leaf()
      addGradient(to: leaf, microBatch: microBatch, step: step)
      plain.finishLeaf()
    }
    let sum = try plain.finish()
    for element in 0..<floats {
      let expected = treeSum(0..<microBatches, step: step, element: element)
      let tolerance = plainSumTolerance * sumOfSizes(microBatches, step: step, element: element)
      if !(abs(sum[element] - expected) <= tolerance) {
        wrong = wrong ?? "step \(step), element \(element): \(sum[element]) instead of \(expected)"
      }
    }
  }
  if let wrong { throw CheckFailure(description: "\(microBatches) micro-batches of \(floats): \(wrong)") }
}
