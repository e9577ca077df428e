import Checkpoints
import Configuration
import DataParallel
import Datasets
import Failures
import Inference
import Kernels
import Network

/// The task of a run: what it trains, and everything the run needs to know about it besides the step.
protocol RunTask: TrainingTask {
  var configuration: RunConfiguration { get }
  /// The number of classes that a classifier distinguishes; nil for other networks.
  var classCount: Int? { get }
  /// Whether the network is given the classes of the images.
  var usesClasses: Bool { get }
  /// The probability of hiding an image's class from the network.
  var labelDropout: Double { get }
  var networkConfiguration: UNetConfiguration { get }
  /// The network that draws images; nil for a task that draws none.
  var drawingNetwork: UNet? { get }
  /// The subject and verb of a warning if `showProgress` fails.
  var progress: String { get }

  /// Shows what the network has learnt. Collective.
  /// - Returns: a sentence about it, on rank 0.
  /// - Throws: on all ranks, if it fails; training may then continue.
  func showProgress(of run: TrainingRun, step: Int) throws -> String
}

extension RunTask {
  /// The dropout of the step after `step` steps, for a micro-batch.
  func dropout(step: Int, firstSample: Int) -> Dropout {
    Dropout(
      probability: networkConfiguration.dropout, seed: configuration.seed, step: step, firstSample: firstSample)
  }
}

extension CheckpointHeader.Kind {
  /// The end of a run folder's default name.
  var runNameSuffix: String {
    switch self {
    case .denoiser: ""
    case .classifier: "-classifier"
    }
  }

  /// The task of this kind, for samples of a data set.
  /// - Throws: `ConfigurationError`, `DiffusionError` and `InputError` if they do not fit.
  func task(_ configuration: RunConfiguration, _ dataset: any Dataset) throws -> any RunTask {
    let (height, width, channels) = (dataset.height, dataset.width, dataset.drawnShape[2])
    switch self {
    case .denoiser:
      let network = try configuration.network(height: height, width: width, channels: channels)
      return try DenoisingTask(
        configuration: configuration, network: network, given: try givenFields(configuration, dataset))
    case .classifier:
      guard configuration.data.conditions.isEmpty else {
        throw InputError(
          "data.conditions is [\(configuration.data.conditions.joined(separator: ", "))], but a classifier is given only "
            + "noisy images; set it to []")
      }
      guard dataset.classNames.count > 1 else {
        throw InputError("\(dataset.name) has no classes; choose another data.name")
      }
      if let every = configuration.evaluation.every {
        throw InputError("evaluation.every is \(every), but a classifier draws no images; set it to none")
      }
      let network = try configuration.classifier(
        height: height, width: width, channels: channels, classCount: dataset.classNames.count)
      let tests = try configuration.imageDataset(for: "train-classifier", split: .test)
      return try ClassificationTask(configuration: configuration, network: network, tests: tests)
    }
  }
}

/// The conditions of test samples or, without any, of the training samples; nil if nothing is given.
/// - Throws: `DatasetError` if the test samples are damaged.
private func givenFields(_ configuration: RunConfiguration, _ training: any Dataset) throws -> GivenFields? {
  guard training.conditionChannels > 0 else { return nil }
  do { return GivenFields(try configuration.dataset(split: .test)) } catch let error as DatasetError
    where error.kind == .missing
  { return GivenFields(training) }
}
