import Configuration
import DataParallel
import Datasets
import Differentiation
import Diffusion
import Inference
import Kernels
import MessagePassing
import Network
import Reporting
import Tensors

/// Trains a classifier of noisy images at all times of a process.
package struct ClassificationTask: TrainingTask {
  package let network: ClassifierNetwork
  let configuration: RunConfiguration
  /// The images for measuring its accuracy.
  let tests: any ImageDataset
  /// Draws noisy images; its prediction and loss are not used.
  package let objective: TrainingObjective

  /// - Throws: `DiffusionError` if the configuration's process is invalid.
  init(configuration: RunConfiguration, network: ClassifierNetwork, tests: any ImageDataset) throws {
    self.network = network
    self.tests = tests
    self.configuration = configuration
    objective = try TrainingObjective(model: try configuration.modelDescription().ofClassifier)
  }

  package var model: any TrainableNetwork { network }

  package func forward(
    _ batch: NoisedImages, step: Int, firstSample: Int, on tape: Tape
  ) -> (output: Variable, PartialLoss) {
    let logits = network(
      tape.input(batch.input), timesteps: batch.networkTimes, dropout: dropout(step: step, firstSample: firstSample),
      recomputesBlocks: configuration.training.recomputeActivations == .blocks, on: tape)
    guard let classes = batch.conditions.classes?.compactMap(\.self), classes.count == batch.times.count else {
      preconditionFailure("every training image of a classifier has a class")
    }
    let loss = tape.profiler.measure(.loss, Work(floats: logits.value.count)) {
      CrossEntropy.lossAndGradient(
        logits: logits.value, classes: classes, weights: batch.weights,
        imagesInGlobalBatch: configuration.training.batch)
    }
    return (logits, loss)
  }

  /// Test images with the noise of one time.
  func noised(_ images: Tensor, at time: Double, firstImage: Int) -> (input: Tensor, networkTime: Float) {
    let model = objective.model
    let (marginal, scale) = (model.process.marginal(at: time), model.inputScale(at: time))
    let images = DoubleTensor(images)
    let noise = normalNoise(
      shape: images.shape, seed: configuration.seed, purpose: .boundNoise, step: Int(time.rounded()),
      firstImage: firstImage)
    let input = DoubleTensor(scale * (marginal.signal * images + marginal.sigma * DoubleTensor(noise)))
    return (input.single, Float(model.networkTime(at: time)))
  }

  /// The first time of the process, and the times after a quarter, a half and three quarters of its sampling steps.
  var timesToTest: [Double] { objective.model.process.samplingTimes(steps: 4).dropFirst().reversed() }
}

extension ClassificationTask: RunTask {
  /// None: a classifier needs every image's class.
  var labelDropout: Double { 0 }
  var classCount: Int? { network.classCount }
  var usesClasses: Bool { true }
  var networkConfiguration: UNetConfiguration { network.configuration }
  var drawingNetwork: UNet? { nil }
  var progress: String { "the accuracy is" }

  /// The percentage of test images that the first average classifies correctly, at some times of the process.
  /// Collective.
  func showProgress(of run: TrainingRun, step: Int) throws -> String {
    let count = min(512, tests.count)
    let classifier = TrainedClassifier(
      network: network, parameters: try run.trainer.gatherAverage(run.trainer.averages[0]), workers: run.workers)
    let share = run.communicator.share(of: count)
    let images = try run.communicator.together { try DataImages(tests).images(Array(share)) }
    let results = try timesToTest.map { time in
      let (input, networkTime) = noised(images, at: time, firstImage: share.lowerBound)
      let logarithms = classifier.logProbabilities(input, times: share.map { _ in networkTime })
      let right = zip(share, logarithms).filter { image, values in
        values.firstIndex(of: values.max() ?? 0) == tests.label(of: image)
      }.count
      let percent = 100 * Double(try run.communicator.allReduceSum(right)) / Double(count)
      return "\(ProgressFormat.decimal(percent, places: 1))% at t = \(ProgressFormat.shortDecimal(time))"
    }
    return "Accuracy on \(count) noisy test images: " + results.joined(separator: ", ") + "."
  }
}
