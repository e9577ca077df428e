import Configuration
import DataParallel
import Differentiation
import Diffusion
import Kernels
import MessagePassing
import Network
import Tensors
import Training

let trainingChecks: [Check] = [
  Check("steps have the same bits with and without overlap, on any grid") { context in
    let all = try arrangements(context).map { try stepsOfTraining(context.communicator, $0) }
    try expect(all.allSatisfy { $0 == all[0] }, "training differs between arrangements")
  },

  Check("steps with given channels, some of them hidden, have the bits of one rank on any grid") { context in
    let alone = try stepsOnOneRank(context, conditionChannels: 2)
    let all = try arrangements(context).map {
      try stepsOfTraining(context.communicator, $0, conditionChannels: 2)
    }
    try expect(all.allSatisfy { $0 == alone }, "training differs from that on one rank")
  },

  Check("steps with values in bfloat16 have the bits of one rank on any grid") { context in
    let (alone, exact) = (try stepsOnOneRank(context, precision: .bfloat16), try stepsOnOneRank(context))
    let all = try arrangements(context).map { try stepsOfTraining(context.communicator, $0, precision: .bfloat16) }
    try expect(all.allSatisfy { $0 == alone }, "training differs from that on one rank")
    try expect(alone != exact, "the precision changes nothing")
  },

  Check("the averaged gradient equals that of the whole batch") { context in
    try verifyLargeBatchGradient(context, conditionChannels: 0)
  },

  Check("the averaged gradient equals that of the whole batch with given channels") { context in
    try verifyLargeBatchGradient(context, conditionChannels: 2)
  },

  Check("training with MPI_Allreduce makes the same steps as with the tree, up to rounding") { context in
    try verifyPlainTraining(context)
  },
]

/// Sums over pixels and images in single precision, in two orders; deep in the network such errors grow tenfold.
private let gradientTolerance = 1e-5

/// Training of the small network on noise images, with the inputs of a step.
private struct SmallTraining {
  let communicator: Communicator
  let configuration: RunConfiguration
  let workers = WorkerPool(threadCount: 1)
  let network: UNet
  let objective: TrainingObjective
  let trainer: DataParallelTrainer

  init(
    _ communicator: Communicator, _ arrangement: DataParallelTrainer.Arrangement = .init(), conditionChannels: Int = 0,
    precision: Precision = .float32
  ) throws {
    self.communicator = communicator
    var configuration = smallConfiguration()
    configuration.model.precision = precision
    configuration.data.conditions = (0..<conditionChannels).map { "given_\($0)" }
    self.configuration = configuration
    network = try configuration.network(height: 8, width: 8, channels: 1)
    objective = try configuration.objective()
    trainer = try DataParallelTrainer(
      configuration: configuration, task: try DenoisingTask(configuration: configuration, network: network),
      communicator: communicator, workers: workers, arrangement: arrangement)
  }

  /// The given channels of every third sample are hidden.
  func samples(_ range: Range<Int>) -> TrainingSamples {
    let conditionChannels = network.configuration.conditionChannels
    return TrainingSamples(
      Latents.draw(shape: [range.count, 8, 8, 1 + conditionChannels], seed: 3, firstImage: range.lowerBound),
      conditionChannels: conditionChannels, classes: nil,
      hidesFields: { (range.lowerBound + $0).isMultiple(of: 3) }, workers: workers)
  }

  func inputs(_ range: Range<Int>, step: Int) -> NoisedImages {
    let samples = samples(range)
    return objective.draw(
      images: samples.images, conditions: samples.conditions, seed: configuration.seed, step: step,
      firstSample: range.lowerBound, workers: workers)
  }

  /// Starts with parameters of which each has an effect; rank 0 has them.
  func begin() throws {
    let parameters = communicator.rank == 0 ? Arena(network.layout) : nil
    if let parameters { fillVisibly(parameters) }
    try trainer.begin(with: parameters)
  }

  /// Runs a step, and returns the gradient's norm.
  @discardableResult
  func step(_ step: Int, observer: (any StepObserver)? = nil) throws -> Double {
    try trainer.step(step, observer: observer) { samples($0) }.gradientNorm
  }
}

private func verifyLargeBatchGradient(_ context: CheckContext, conditionChannels: Int) throws {
  let training = try SmallTraining(context.communicator, conditionChannels: conditionChannels)
  try training.begin()
  let comparison = LargeBatchComparison(training, rank: context.rank)
  // The second step reuses the first one's buffers.
  for step in 0..<2 { comparison.compare(norm: try training.step(step, observer: comparison), step: step) }
  // Messages that are still on their way could be taken for those of the next trainer.
  try training.trainer.settle()
  if let wrong = comparison.wrong { throw CheckFailure(description: wrong) }
}

/// Compares the averaged gradient of a step with that of the whole batch.
private final class LargeBatchComparison: StepObserver {
  /// The first difference.
  private(set) var wrong: String?
  private let training: SmallTraining
  private let rank: Int
  /// ‖g‖² of the whole batch.
  private var squares = 0.0

  init(_ training: SmallTraining, rank: Int) {
    self.training = training
    self.rank = rank
  }

  func didDraw(_ noised: [NoisedImages], step: Int, firstSample: Int) {}

  func didAverage(_ averaged: Arena, loss: Double, step: Int, _ trainer: DataParallelTrainer) throws {
    let batch = training.inputs(0..<8, step: step)
    let gradients = Arena(training.network.layout)
    let tape = Tape(recordingWith: try trainer.parameters(), gradients: gradients, workers: training.workers)
    let dropout = Dropout(probability: 0.2, seed: training.configuration.seed, step: step, firstSample: 0)
    let prediction = training.network(
      tape.input(batch.input), timesteps: batch.networkTimes, conditions: batch.conditions, dropout: dropout, on: tape)
    let whole = training.objective.lossAndGradient(
      output: prediction.value, of: batch, elementsInGlobalBatch: batch.input.count)
    tape.unwind(from: prediction, seed: whole.gradient)

    var largest = 0.0
    squares = 0
    for element in 0..<gradients.count {
      largest = max(largest, abs(Double(gradients[element])))
      squares += Double(gradients[element]) * Double(gradients[element])
    }
    var error = 0.0
    for element in trainer.sharding.pieces(ofRank: rank).flatMap(\.range) {
      let difference = abs(Double(averaged[element]) - Double(gradients[element]))
      error = max(error, difference.isFinite ? difference : .infinity)
    }
    if error > gradientTolerance * largest { wrong = wrong ?? "step \(step): off by \(error / largest)" }
    // The forward pass of an image is bit-identical in any batch; the loss is a sum in double precision.
    if abs(loss - whole.loss) > 1e-12 * whole.loss { wrong = wrong ?? "step \(step): loss \(loss), not \(whole.loss)" }
  }

  func didUpdate(step: Int, _ trainer: DataParallelTrainer) {}

  /// - Parameter norm: ‖g‖ of the step's averaged gradient.
  func compare(norm: Double, step: Int) {
    if abs(norm - squares.squareRoot()) > gradientTolerance * norm { wrong = wrong ?? "step \(step): norm \(norm)" }
  }
}

private func verifyPlainTraining(_ context: CheckContext) throws {
  let norms = try ReductionMethod.allCases.map { reduction in
    var arrangement = DataParallelTrainer.Arrangement()
    arrangement.reduction = reduction
    let training = try SmallTraining(context.communicator, arrangement)
    try training.begin()
    let norms = try (0..<2).map { try training.step($0) }
    // Messages that are still on their way could be taken for those of the next trainer.
    try training.trainer.settle()
    return norms
  }
  for (plain, tree) in zip(norms[1], norms[0]) {
    try expect(abs(plain - tree) <= gradientTolerance * tree, "gradients of size \(plain), not \(tree)")
  }
}

/// The bits of the parameters after three steps, and of one of the averages.
private func stepsOfTraining(
  _ communicator: Communicator, _ arrangement: DataParallelTrainer.Arrangement = .init(), conditionChannels: Int = 0,
  precision: Precision = .float32
) throws -> [UInt32] {
  let training = try SmallTraining(
    communicator, arrangement, conditionChannels: conditionChannels, precision: precision)
  let trainer = training.trainer
  try training.begin()
  for step in 0..<3 { try training.step(step) }
  let average = try trainer.gatherAverage(trainer.averages[0])
  let parameters = try trainer.parameters()
  return [parameters, average].flatMap { arena in (0..<arena.count).map { arena[$0].bitPattern } }
}

/// The same on each rank alone.
private func stepsOnOneRank(
  _ context: CheckContext, conditionChannels: Int = 0, precision: Precision = .float32
) throws -> [UInt32] {
  guard let own = try context.communicator.split(group: context.rank) else { return [] }
  let bits = try stepsOfTraining(own.communicator, conditionChannels: conditionChannels, precision: precision)
  try own.close()
  return bits
}
