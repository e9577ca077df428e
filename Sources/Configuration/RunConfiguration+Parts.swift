import Datasets
import Diffusion
import Failures
import Kernels
import Network
import Optimisation

extension RunConfiguration {
  /// The training samples, or others of the same data set, with the conditions. Only the thread that calls libhdf5 may
  /// call this.
  /// - Parameters:
  ///   - path: the samples' location, if it differs from the configuration.
  ///   - background: the background of transparent pixels, if it differs from the configuration.
  /// - Throws: `DatasetError`, and `InputError` for a background if the data set has no image files.
  package func dataset(
    path: String? = nil, split: DatasetSplit = .training, background: FolderImages.Background? = nil
  ) throws -> any Dataset {
    try DatasetCatalog.load(
      name: data.name, path: path ?? data.path, split: split, fitting: try fitting(background),
      conditions: data.conditions, normalisation: data.normalisation, channels: data.channels)
  }

  /// The images of the data set, without added conditions. The other parameters are those of `dataset`.
  /// - Parameter purpose: what needs images, for messages.
  /// - Throws: as `dataset`, and `InputError` for fields.
  package func imageDataset(
    for purpose: String, path: String? = nil, split: DatasetSplit = .training,
    background: FolderImages.Background? = nil
  ) throws -> any ImageDataset {
    if let fields = try DatasetCatalog.fields(name: data.name, path: path ?? data.path, split: split) {
      throw InputError("\(purpose) needs images, but \(fields.name) has fields")
    }
    return try DatasetCatalog.images(
      name: data.name, path: path ?? data.path, split: split, fitting: try fitting(background))
  }

  private func fitting(_ background: FolderImages.Background?) throws(InputError) -> FolderImages.Fitting {
    var fitting = data.fitting
    if let background {
      guard data.name == "folder" else {
        throw InputError("--background is for image files, data.name folder, but the model's data set is \(data.name)")
      }
      fitting.background = background
    }
    return fitting
  }

  /// The network that draws images of this shape. The channels of `data.conditions` are given to it in addition.
  /// - Throws: `ConfigurationError` if the model does not fit the images.
  package func network(height: Int, width: Int, channels: Int) throws -> UNet {
    var network = try networkConfiguration(height: height, width: width, channels: channels)
    network.conditionChannels = data.conditions.count
    return UNet(network)
  }

  private static let maximumSide = 16384
  private static let maximumImageChannels = 1024

  /// The same network's encoder as a classifier of noisy images.
  /// - Throws: `ConfigurationError` if the model does not fit the images.
  package func classifier(height: Int, width: Int, channels: Int, classCount: Int) throws -> ClassifierNetwork {
    guard (1...65536).contains(classCount) else {
      throw ConfigurationError("a classifier of \(classCount) classes is not possible: there must be 1 to 65536")
    }
    return ClassifierNetwork(
      try networkConfiguration(height: height, width: width, channels: channels), classCount: classCount)
  }

  private func networkConfiguration(height: Int, width: Int, channels: Int) throws -> UNetConfiguration {
    let (sides, counts) = (1...Self.maximumSide, 1...Self.maximumImageChannels)
    guard sides.contains(height), sides.contains(width), counts.contains(channels) else {
      throw ConfigurationError(
        "images of \(height)x\(width)x\(channels) are not possible: height and width must be from 1 to "
          + "\(sides.upperBound), and channels from 1 to \(counts.upperBound)")
    }
    try validate(height: height, width: width)
    return UNetConfiguration(
      imageChannels: channels, conditionChannels: data.conditions.count, imageHeight: height, imageWidth: width,
      channels: model.channels, multipliers: model.multipliers, blocksPerLevel: model.blocks,
      attentionResolutions: model.attentionResolutions, dropout: Float(model.dropout), groupCount: model.groups,
      outputChannels: diffusion.variance.isLearned ? 2 * channels : channels, classCount: model.classes,
      arithmetic: Arithmetic(convolutionMethod: model.convolution, precision: model.precision),
      periodicity: model.periodicity, architecture: model.architecture)
  }

  /// The forward process.
  package func process() throws(DiffusionError) -> any ForwardProcess {
    let (sigmaMin, sigmaMax) = (diffusion.sigmaMin, diffusion.sigmaMax)
    switch diffusion.process {
    case .discreteVariancePreserving: return withRescaledTimes(DiscreteProcess(schedule: try schedule()))
    case .discreteVarianceExploding:
      return withRescaledTimes(
        try DiscreteProcess.varianceExploding(
          steps: diffusion.steps, sigmaMin: sigmaMin ?? 0.01, sigmaMax: sigmaMax ?? 50))
    case .variancePreserving: return try VariancePreservingSDE()
    case .varianceExploding: return try VarianceExplodingSDE(sigmaMin: sigmaMin ?? 0.01, sigmaMax: sigmaMax ?? 50)
    case .subVariancePreserving: return try VariancePreservingSDE(.subVariancePreserving)
    case .edm: return try EDMProcess(sigmaMin: sigmaMin ?? 0.002, sigmaMax: sigmaMax ?? 80)
    }
  }

  private func withRescaledTimes(_ process: DiscreteProcess) -> DiscreteProcess {
    diffusion.rescaleTimes ? process.rescalingNetworkTimes() : process
  }

  /// The variances of the steps of `vp`.
  package func schedule() throws(DiffusionError) -> NoiseSchedule {
    let (steps, first, last) = (diffusion.steps, diffusion.betaFirst, diffusion.betaLast)
    let schedule: NoiseSchedule =
      switch diffusion.schedule {
      case .linear: try .linear(steps: steps, first: first, last: last)
      case .cosine: try .cosine(steps: steps)
      case .quadratic: try .quadratic(steps: steps, first: first, last: last)
      case .sigmoid: try .sigmoid(steps: steps, first: first, last: last)
      }
    return diffusion.zeroTerminalSNR ? try schedule.withZeroTerminalSNR() : schedule
  }

  /// What the network predicts, and how its input is computed.
  package func modelDescription() throws(DiffusionError) -> ModelDescription {
    ModelDescription(
      process: try process(),
      parametrisation: diffusion.process == .edm
        ? .preconditioned(sigmaData: diffusion.sigmaData ?? Self.sigmaDataOfImages)
        : .prediction(diffusion.prediction),
      variance: diffusion.variance,
      timeSignal: model.architecture.timeFeatures == .fourier ? .logarithmic : .linear,
      scalesInput: diffusion.scaleInput)
  }

  /// The training objective.
  package func objective() throws(DiffusionError) -> TrainingObjective {
    try TrainingObjective(model: try modelDescription(), loss: diffusion.loss, levels: diffusion.levels)
  }

  /// The learning rate of each step.
  package var learningRateSchedule: LearningRateSchedule {
    LearningRateSchedule(
      learningRate: training.learningRate, warmupSteps: training.warmupSteps, decay: training.schedule,
      decayStart: training.decayStart, steps: training.steps)
  }

  static let howToFitFields = "(for fields, `ddpm-mpi pack` has --crop and --pad)"
}
