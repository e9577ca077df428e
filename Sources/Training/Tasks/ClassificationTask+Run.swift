import Checkpoints
import Configuration
import Datasets
import Diffusion
import Inference
import MessagePassing
import Network
import Reporting

extension ClassificationTask: RunTask {
  var kind: CheckpointHeader.Kind { .classifier }
  var classCount: Int? { network.classCount }
  /// None: a classifier needs every image's class.
  var labelDropout: Double { 0 }
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
