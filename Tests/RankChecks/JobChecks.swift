import Checkpoints
import Configuration
import Diffusion
import Failures
import Inference
import Network
import Ranks
import Tensors

let jobChecks: [Check] = [
  Check("every rank gets the placement of all ranks") { context in
    let placement = try RankPlacement(of: context.communicator, threads: context.rank + 1)
    let host = try context.communicator.processorName
    try expectEqual(placement.locations.map(\.threads), (0..<context.size).map { $0 + 1 })
    try expectEqual(
      placement.locations[context.rank],
      .init(host: host, processors: ProcessorSet.usable, threads: context.rank + 1))
    // Whatever the others do, a rank with more threads than processors is crowded.
    try expect(
      placement.isCrowded(context.rank) || placement.locations[context.rank].processors.count > context.rank,
      "\(context.rank + 1) threads fit on \(ProcessorSet.usable)")
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
        // The last rank fails as well; the lowest failing rank must be named.
        let fails = context.rank == failing || context.rank == context.size - 1
        let outcome = Result { try context.communicator.together { if fails { throw error } } }
        guard case .failure(let thrown) = outcome, let failure = thrown as? JobFailure else {
          throw CheckFailure(description: "no JobFailure: \(outcome)")
        }
        try expectEqual(failure.rank, failing)
        try expectEqual(failure.exitStatus, status)
        try expectEqual(failure.message, message)
        try expect(failure.isKnownToAllRanks, "it would be reported by every rank")
        // All ranks know of it already, so it passes through the next agreement unchanged.
        let again = try expectError(JobFailure.self) { try context.communicator.together { throw failure } }
        try expectEqual(again.description, failure.description)
      }
    }
    let results = try context.communicator.together { context.rank * 3 }
    try expectEqual(results, context.rank * 3)
  },

  Check("the ranks' shares of the images cover them all and are gathered in order on rank 0") { context in
    let drawing = try makeDrawing(context)
    var gathered: [(count: Int, all: Tensor?)] = []
    for count in [0, 1, 4, 7, 16] {
      let shares = context.communicator.shares(of: count)
      try expectEqual(shares.flatMap(Array.init), Array(0..<count))
      try expect(shares.map(\.count).max()! - shares.map(\.count).min()! <= 1, "uneven shares \(shares)")
      let own = shares[context.rank]
      let part = Tensor(own.flatMap { [Float](repeating: Float($0), count: 64) }, shape: [own.count, 8, 8, 1])
      gathered.append((count, try drawing.gather(part, count: count)))
    }
    for (count, all) in gathered {
      let expected = (0..<count).flatMap { [Float](repeating: Float($0), count: 64) }
      try expectEqual(all?.shape, context.rank == 0 ? [count, 8, 8, 1] : nil)
      try expectEqual(all?.elements, context.rank == 0 ? expected : nil)
    }
  },

  Check("images drawn by all ranks equal those drawn by one process") { context in
    let drawing = try makeDrawing(context)
    let count = 5
    let share = try drawing.drawShare(of: count)
    try expectEqual(share.evaluations, 3)
    let together = try drawing.gather(share.images, count: count)
    let latents = Latents.draw(shape: [count, 8, 8, 1], seed: drawing.seed, firstImage: 0)
    let alone = try drawing.sampler.sample(
      from: DoubleTensor(latents), denoiser: drawing.model.denoiser(), noise: SamplerNoise(seed: drawing.seed),
      progress: nil
    ).images.single
    try expect(together.map(bits) == (context.rank == 0 ? bits(alone) : nil), "the images differ")
    try expect(Set(bits(alone)).count > count * 32, "the images are blank")
  },
]

private func makeDrawing(_ context: CheckContext) throws -> ImageDrawing {
  var configuration = smallConfiguration()
  configuration.sampling.steps = 3
  let network = try configuration.network(height: 8, width: 8, channels: 1)
  let parameters = Arena(network.layout)
  fillVisibly(parameters)
  let model = try TrainedModel(
    configuration, network: network, parameters: parameters, workers: .callingThread,
    origin: .init(checkpoint: "none", weights: .model, trainingSteps: 0, trainingImages: 0))
  return try ImageDrawing(model, seed: 11, batchSize: 2, communicator: context.communicator)
}

private func bits(_ tensor: Tensor) -> [UInt32] { tensor.elements.map(\.bitPattern) }
