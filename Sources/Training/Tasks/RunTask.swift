import Checkpoints
import Configuration
import DataParallel
import Datasets
import Failures
import Network

/// What a run trains, and all that the run must know of it beside the step.
protocol RunTask: TrainingTask {
  /// What its checkpoints are.
  var kind: CheckpointHeader.Kind { get }
  /// Of a classifier; nil for others.
  var classCount: Int? { get }
  /// How often a class is kept from the network.
  var labelDropout: Double { get }
  var networkConfiguration: UNetConfiguration { get }
  /// The network that draws images; nil for a task that draws none.
  var drawingNetwork: UNet? { get }
  /// What `showProgress` shows, with its verb, for a message that it could not.
  var progress: String { get }

  /// Shows what has been learnt. Collective.
  /// - Returns: a sentence about it, on rank 0.
  /// - Throws: what it could not do; on all ranks, where training may go on.
  func showProgress(of run: TrainingRun, step: Int) throws -> String
}

extension CheckpointHeader.Kind {
  /// The task of this kind, for images of a data set.
  /// - Throws: `ConfigurationError`, `DiffusionError` and `InputError` if they do not fit.
  func task(_ configuration: RunConfiguration, _ dataset: any ImageDataset) throws -> any RunTask {
    let (height, width, channels) = (dataset.height, dataset.width, dataset.channels)
    switch self {
    case .denoiser:
      let network = try configuration.network(height: height, width: width, channels: channels)
      return try DenoisingTask(configuration: configuration, network: network)
    case .classifier:
      guard dataset.classNames.count > 1 else {
        throw InputError("\(dataset.name) has no classes to tell apart; choose another data.name")
      }
      if let every = configuration.evaluation.every {
        throw InputError("evaluation.every is \(every), but a classifier draws no images to measure; set it to none")
      }
      let network = try configuration.classifier(
        height: height, width: width, channels: channels, classCount: dataset.classNames.count)
      return try ClassificationTask(
        configuration: configuration, network: network, tests: try configuration.dataset(split: .test))
    }
  }
}
