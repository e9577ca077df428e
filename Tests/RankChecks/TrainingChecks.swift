import Checkpoints
import Configuration
import Differentiation
import Diffusion
import Foundation
import Inference
import Jobs
import MessagePassing
import Network
import Optimisation
import Tensors
import Training

let trainingChecks: [Check] = [
  Check("every rank knows where all ranks run") { context in
    let placement = try RankPlacement(of: context.communicator, threads: context.rank + 1)
    let host = try context.communicator.processorName
    try expectEqual(placement.places.map(\.threads), (0..<context.size).map { $0 + 1 })
    try expectEqual(
      placement.places[context.rank],
      .init(host: host, processors: ProcessorSet.usable, threads: context.rank + 1))
    // Whatever the others do, a rank with more threads than processors is crowded.
    try expect(
      placement.isCrowded(context.rank) || placement.places[context.rank].processors.count > context.rank,
      "\(context.rank + 1) threads fit on \(ProcessorSet.usable)")
  },

  Check("gradients are summed in the one order of the tree, on any number of ranks") { context in
    // Three blocks leave some ranks of five and eight without any.
    for (microBatches, blocks) in [(8, 3), (9, 3), (13, 20), (8, 20)] {
      for arrangement in arrangements(context) {
        try verifyGradientSums(context, microBatches: microBatches, blocks: blocks, steps: 3, arrangement)
      }
    }
  },

  Check("many buckets are summed alike, more than are under way at a time") { context in
    for arrangement in arrangements(context) {
      try verifyGradientSums(context, microBatches: 9, blocks: 64 * 20 + 5, steps: 2, arrangement)
    }
  },

  Check("sums that travel rounded between nodes are off by the rounding alone") { context in
    for arrangement in arrangements(context) {
      var rounding = arrangement
      rounding.wire = .bfloat16
      try verifyGradientSums(context, microBatches: 9, blocks: 64 * 20 + 5, steps: 2, rounding)
    }
  },

  Check("each rank gets the others' parameters") { context in
    for arrangement in arrangements(context) {
      for blocks in [3, 20, 64 * 20 + 5] { try verifyParameterExchange(context, blocks: blocks, arrangement) }
    }
  },

  Check("steps are the same bits with and without overlap, on any grid") { context in
    let all = try arrangements(context).map { try stepsOfTraining(context, $0) }
    try expect(all.allSatisfy { $0 == all[0] }, "training differs between arrangements")
  },

  Check("the averaged gradient is that of the large batch") { context in
    try verifyLargeBatchGradient(context)
  },

  Check("MPI_Allreduce sums gradients to the tree's numbers, up to rounding") { context in
    for (microBatches, floats) in [(8, 3 * 4096), (13, 20 * 4096)] {
      try verifyPlainSums(context, microBatches: microBatches, floats: floats, steps: 2)
    }
  },

  Check("training by MPI_Allreduce makes the tree's steps, up to rounding") { context in
    try verifyPlainTraining(context)
  },

  Check("an error on one rank reaches all as the same failure with its exit status") { context in
    let errors: [(any Error, ExitStatus, String)] = [
      (InputError("no such run"), .badInput, "no such run"),
      (CheckpointError(path: "/a b", problem: "damaged"), .badCheckpoint, "/a b: damaged"),
      (CheckFailure(description: "7 apples are too many"), .failure, "7 apples are too many"),
      (CheckFailure(description: ""), .failure, ""),
    ]
    for (error, status, message) in errors {
      for failing in 0..<context.size {
        // The last rank fails as well; the lowest that fails is the one to be named.
        let fails = context.rank == failing || context.rank == context.size - 1
        let outcome = Result { try context.communicator.together { if fails { throw error } } }
        guard case .failure(let thrown) = outcome, let failure = thrown as? JobFailure else {
          throw CheckFailure(description: "no JobFailure: \(outcome)")
        }
        try expectEqual(failure.rank, failing)
        try expectEqual(failure.exitStatus, status)
        try expectEqual(failure.message, message)
        try expect(failure.isKnownToAllRanks, "it would be reported by every rank")
        // All know of it already, so it passes through the next agreement unchanged.
        let again = try expectError(JobFailure.self) { try context.communicator.together { throw failure } }
        try expectEqual(again.description, failure.description)
      }
    }
    let results = try context.communicator.together { context.rank * 3 }
    try expectEqual(results, context.rank * 3)
  },

  Check("the ranks' shares of the images cover them all and are gathered in order") { context in
    let drawing = try makeDrawing(context)
    for count in [0, 1, 4, 7, 16] {
      let shares = (0..<context.size).map { drawing.share(of: count, rank: $0) }
      try expectEqual(shares.flatMap(Array.init), Array(0..<count))
      try expect(shares.map(\.count).max()! - shares.map(\.count).min()! <= 1, "uneven shares \(shares)")
      let own = shares[context.rank]
      let part = Tensor(own.flatMap { [Float](repeating: Float($0), count: 64) }, shape: [own.count, 8, 8, 1])
      let all = try drawing.gather(part, count: count)
      try expectEqual(all.shape, [count, 8, 8, 1])
      try expectEqual(all.elements, (0..<count).flatMap { [Float](repeating: Float($0), count: 64) })
    }
  },

  Check("images drawn together are those that one process draws") { context in
    let drawing = try makeDrawing(context)
    let parameters = Arena(drawing.network.layout)
    fillVisibly(parameters)
    let count = 5
    let share = try drawing.drawShare(of: count, parameters: parameters)
    try expectEqual(share.evaluations, 3)
    let together = try drawing.gather(share.images, count: count)
    let denoiser = NetworkDenoiser(
      network: TrainedUNet(network: drawing.network, parameters: parameters, workers: drawing.workers),
      model: drawing.model)
    let latents = Latents.draw(shape: [count, 8, 8, 1], seed: drawing.seed, firstImage: 0)
    let alone = try drawing.sampler.sample(
      from: DoubleTensor(latents), denoiser: denoiser, noise: SamplerNoise(seed: drawing.seed), progress: nil
    ).images.single
    try expect(bits(together) == bits(alone), "the images differ")
    try expect(Set(bits(together)).count > count * 32, "the images are blank")
  },
]

// MARK: Sums

/// A gradient in which every order of additions gives other bits: sizes range over 2¹⁶.
private func gradient(microBatch: Int, step: Int, element: Int) -> Float {
  var word = UInt64(bitPattern: Int64(element &* 1009 &+ microBatch &* 31 &+ step)) &* 0x9E37_79B9_7F4A_7C15
  word ^= word >> 29
  word = word &* 0xBF58_476D_1CE4_E5B9
  word ^= word >> 32
  let fraction = Float(word & 0xFF_FFFF) * 0x1p-23 - 1
  return fraction * Float(sign: .plus, exponent: Int(word >> 24 & 15) - 8, significand: 1)
}

/// The sum of one element over `leaves`: the left child of a node has the largest power of two of leaves below the
/// node's number.
private func treeSum(_ leaves: Range<Int>, step: Int, element: Int) -> Float {
  if leaves.count == 1 { return gradient(microBatch: leaves.lowerBound, step: step, element: element) }
  var half = 1
  while 2 * half < leaves.count { half *= 2 }
  let middle = leaves.lowerBound + half
  return treeSum(leaves.lowerBound..<middle, step: step, element: element)
    + treeSum(middle..<leaves.upperBound, step: step, element: element)
}

/// Every way to spread the ranks over nodes, with messages that move by themselves or while they are waited for.
private func arrangements(_ context: CheckContext) -> [DataParallelTrainer.Arrangement] {
  (1...context.size).filter { context.size.isMultiple(of: $0) }.flatMap { nodes in
    [true, false].map {
      .init(overlaps: $0, grid: RankGrid(nodes: nodes, slots: context.size / nodes))
    }
  }
}

/// Parameters of several sizes, some of them across buckets, that fill whole blocks.
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
  let averaging = GradientAveraging(
    layout: layout, tree: tree, sharding: sharding, communicator: context.communicator,
    workers: WorkerPool(threadCount: 2), loop: loop, wire: arrangement.wire)
  // Each sum that another node sends is off by at most 2⁻⁸ of itself; those of all nodes together are no larger than the
  // micro-batches' sizes.
  let roundsAnything = arrangement.wire == .bfloat16 && arrangement.grid!.nodeCount > 1
  var wrong: String?
  for step in 0..<steps {
    for microBatch in averaging.run {
      let leaf = averaging.leaf()
      for element in 0..<floats {
        leaf.pointer[element] += gradient(microBatch: microBatch, step: step, element: element)
      }
      // As backward passes do: from the end; one parameter is not used at all.
      for entry in layout.entries.reversed() where entry.name != "small" { averaging.parameterIsFinal(entry) }
      averaging.finishLeaf()
    }
    let sum = try averaging.finish()
    for piece in sharding.pieces(ofRank: context.rank) {
      for element in piece.range {
        let expected = treeSum(0..<microBatches, step: step, element: element)
        var tolerance: Float = 0
        if roundsAnything {
          let sizes = (0..<microBatches).map { abs(gradient(microBatch: $0, step: step, element: element)) }
          tolerance = sizes.reduce(0, +) * (0x1p-8 + 13 * 0x1p-24)
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
  let arena = Arena(layout(blocks: blocks))
  let sharding = Sharding(arenaCount: arena.count, grid: arrangement.grid!)
  let loop = ProgressLoop(isBackground: arrangement.overlaps)
  defer { loop.stop() }
  let exchange = ParameterExchange(
    sharding: sharding, rank: context.rank, communicator: context.communicator)
  var wrong: String?
  for round in 0..<3 {
    arena.clear()
    for piece in sharding.pieces(ofRank: context.rank) {
      for element in piece.range { arena.pointer[element] = Float(element % 10_007 + round) }
    }
    exchange.begin(arena.pointer)
    loop.start(exchange)
    for (bucket, range) in sharding.buckets.enumerated() {
      try loop.wait { exchange.arrivedCount > bucket }
      for element in range where arena.pointer[element] != Float(element % 10_007 + round) {
        wrong = wrong ?? "round \(round), element \(element) is \(arena.pointer[element])"
      }
    }
    try loop.wait { exchange.isDone }
    try context.communicator.barrier()
  }
  if let wrong { throw CheckFailure(description: "\(blocks) blocks, \(arrangement): \(wrong)") }
}

/// Sums of 13 numbers in single precision, in two orders: each addition adds at most 2⁻²⁴ of a partial sum.
private let plainSumTolerance: Float = 13 * 0x1p-24

private func verifyPlainSums(_ context: CheckContext, microBatches: Int, floats: Int, steps: Int) throws {
  var layout = ParameterLayout()
  _ = layout.add("all", shape: [floats], order: .c)
  let plain = PlainGradientSum(
    layout: layout, tree: MicroBatchTree(leafCount: microBatches),
    communicator: context.communicator.limitingMessages(to: 5000), workers: WorkerPool(threadCount: 2))
  var wrong: String?
  for step in 0..<steps {
    for microBatch in plain.run {
      let leaf = plain.leaf()
      for element in 0..<floats {
        leaf.pointer[element] += gradient(microBatch: microBatch, step: step, element: element)
      }
      plain.finishLeaf()
    }
    let sum = try plain.finish()
    for element in 0..<floats {
      let expected = treeSum(0..<microBatches, step: step, element: element)
      let sizes = (0..<microBatches).map { abs(gradient(microBatch: $0, step: step, element: element)) }
      if !(abs(sum[element] - expected) <= plainSumTolerance * sizes.reduce(0, +)) {
        wrong = wrong ?? "step \(step), element \(element): \(sum[element]) instead of \(expected)"
      }
    }
  }
  if let wrong { throw CheckFailure(description: "\(microBatches) micro-batches of \(floats): \(wrong)") }
}

// MARK: A real network

/// Sums over pixels and images in single precision, in two orders; deep in the network such errors grow tenfold.
private let gradientTolerance = 1e-5

private func smallConfiguration() -> RunConfiguration {
  var configuration = RunConfiguration()
  configuration.model.multipliers = [1, 2]
  configuration.model.attentionResolutions = [4]
  configuration.model.dropout = 0.2
  configuration.training.batch = 8
  configuration.training.microBatch = 1
  return configuration
}

/// Values that make every parameter matter; the initial ones make blocks the identity.
private func fillVisibly(_ parameters: Arena) {
  for (index, entry) in parameters.layout.entries.enumerated() {
    let values = parameters.pointer(to: entry)
    RandomStream(seed: 6, purpose: .initialisation, detail: index).fillNormal(values, count: entry.count)
    let isNormScale = entry.order == .c && entry.name.contains("norm") && entry.name.hasSuffix("weight")
    let scale = entry.order == .c ? 0.1 : 1 / Float(entry.shape.dropLast().reduce(1, *)).squareRoot()
    for element in 0..<entry.count { values[element] = values[element] * scale + (isNormScale ? 1 : 0) }
  }
}

private func verifyLargeBatchGradient(_ context: CheckContext) throws {
  let workers = WorkerPool(threadCount: 1)
  let configuration = smallConfiguration()
  let network = try configuration.network(height: 8, width: 8, channels: 1)
  let trainer = try DataParallelTrainer(
    configuration: configuration, task: try DenoisingTask(configuration: configuration, network: network),
    communicator: context.communicator, workers: workers)
  fillVisibly(try trainer.parameters())
  let objective = try configuration.objective()
  func inputs(_ samples: Range<Int>, step: Int) -> NoisedImages {
    let images = Tensor(uninitialised: [samples.count, 8, 8, 1])
    for (place, sample) in samples.enumerated() {
      RandomStream(seed: 1, purpose: .proceduralImage, step: step, sample: sample)
        .fillUniform(images.pointer + place * 64, count: 64)
    }
    return objective.draw(
      images: images, seed: configuration.seed, step: step, firstSample: samples.lowerBound, workers: workers)
  }
  // The second step uses the first one's buffers again.
  var wrong: String?
  for step in 0..<2 {
    let losses = try trainer.run.map { microBatch in
      try trainer.accumulateGradients(
        inputs(trainer.samples(ofMicroBatch: microBatch), step: step), microBatch: microBatch, step: step)
    }
    let loss = try trainer.totalLoss(losses)
    let averaged = try trainer.averagedGradients()
    let norm = try trainer.gradientNorm(averaged)

    let batch = inputs(0..<8, step: step)
    let gradients = Arena(network.layout)
    let tape = Tape(recordingWith: try trainer.parameters(), gradients: gradients, workers: workers)
    let dropout = DropoutContext(probability: 0.2, seed: configuration.seed, step: step, firstSample: 0)
    let prediction = network(
      tape.input(batch.input), timesteps: batch.networkTimes, dropout: dropout, on: tape)
    let whole = objective.lossAndGradient(
      output: prediction.value, of: batch, elementsInGlobalBatch: batch.input.count)
    tape.unwind(from: prediction, seed: whole.gradient)

    var largest = 0.0
    var squares = 0.0
    for element in 0..<gradients.count {
      largest = max(largest, abs(Double(gradients.pointer[element])))
      squares += Double(gradients.pointer[element]) * Double(gradients.pointer[element])
    }
    var error = 0.0
    for element in trainer.sharding.pieces(ofRank: context.rank).flatMap(\.range) {
      let difference = abs(Double(averaged[element]) - Double(gradients.pointer[element]))
      error = max(error, difference.isFinite ? difference : .infinity)
    }
    if error > gradientTolerance * largest { wrong = wrong ?? "step \(step): off by \(error / largest)" }
    // The forward pass of an image is the same to the bit in any batch; the loss is a sum in double precision.
    if abs(loss - whole.loss) > 1e-12 * whole.loss { wrong = wrong ?? "step \(step): loss \(loss), not \(whole.loss)" }
    if abs(norm - squares.squareRoot()) > gradientTolerance * norm { wrong = wrong ?? "step \(step): norm \(norm)" }
  }
  if let wrong { throw CheckFailure(description: wrong) }
}

private func verifyPlainTraining(_ context: CheckContext) throws {
  let workers = WorkerPool(threadCount: 1)
  let configuration = smallConfiguration()
  let network = try configuration.network(height: 8, width: 8, channels: 1)
  let objective = try configuration.objective()
  let norms = try ReductionMethod.allCases.map { reduction in
    let trainer = try DataParallelTrainer(
      configuration: configuration, task: try DenoisingTask(configuration: configuration, network: network),
      communicator: context.communicator, workers: workers, arrangement: .init(reduction: reduction))
    fillVisibly(try trainer.parameters())
    return try (0..<2).map { step in
      for microBatch in trainer.run {
        let samples = trainer.samples(ofMicroBatch: microBatch)
        let images = Latents.draw(shape: [samples.count, 8, 8, 1], seed: 3, firstImage: samples.lowerBound)
        let inputs = objective.draw(
          images: images, seed: configuration.seed, step: step, firstSample: samples.lowerBound, workers: workers)
        _ = try trainer.accumulateGradients(inputs, microBatch: microBatch, step: step)
      }
      let gradients = try trainer.averagedGradients()
      let norm = try trainer.gradientNorm(gradients)
      try trainer.update(gradients: gradients, norm: norm, step: step)
      return norm
    }
  }
  for (plain, tree) in zip(norms[1], norms[0]) {
    try expect(abs(plain - tree) <= gradientTolerance * tree, "gradients of size \(plain), not \(tree)")
  }
}

/// The parameters after three steps, in bits, and one of the averages.
private func stepsOfTraining(
  _ context: CheckContext, _ arrangement: DataParallelTrainer.Arrangement
) throws -> [UInt32] {
  let workers = WorkerPool(threadCount: 1)
  let configuration = smallConfiguration()
  let network = try configuration.network(height: 8, width: 8, channels: 1)
  let objective = try configuration.objective()
  let trainer = try DataParallelTrainer(
    configuration: configuration, task: try DenoisingTask(configuration: configuration, network: network),
    communicator: context.communicator, workers: workers, arrangement: arrangement)
  for step in 0..<3 {
    for microBatch in trainer.run {
      let samples = trainer.samples(ofMicroBatch: microBatch)
      let images = Latents.draw(shape: [samples.count, 8, 8, 1], seed: 3, firstImage: samples.lowerBound)
      let inputs = objective.draw(
        images: images, seed: configuration.seed, step: step, firstSample: samples.lowerBound, workers: workers)
      _ = try trainer.accumulateGradients(inputs, microBatch: microBatch, step: step)
    }
    let gradients = try trainer.averagedGradients()
    try trainer.update(gradients: gradients, norm: try trainer.gradientNorm(gradients), step: step)
    trainer.updateAverages()
  }
  let average = try trainer.gatherAverage(trainer.averages[0])
  let parameters = try trainer.parameters()
  return [parameters, average].flatMap { arena in (0..<arena.count).map { arena.pointer[$0].bitPattern } }
}

private func makeDrawing(_ context: CheckContext) throws -> ImageDrawing {
  let configuration = smallConfiguration()
  var settings = configuration.samplerSettings
  settings.steps = 3
  return try ImageDrawing(
    network: try configuration.network(height: 8, width: 8, channels: 1), configuration: configuration,
    settings: settings, seed: 11, batchSize: 2, communicator: context.communicator,
    workers: WorkerPool(threadCount: 1))
}

private func bits(_ tensor: Tensor) -> [UInt32] { tensor.elements.map(\.bitPattern) }
