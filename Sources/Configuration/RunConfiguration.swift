import Datasets
import Diffusion
import Images
import Kernels
import Network
import Optimisation

/// Everything that decides what a run computes and when it saves.
///
/// A fresh value holds every key's default, which is the `quickstart` preset. `ConfigurationKey.all` describes the keys:
/// their names in YAML, what they mean and what they may be.
public struct RunConfiguration: Sendable, Equatable {
  public var seed: UInt64 = 0
  public var data = DataSettings()
  public var model = ModelSettings()
  public var diffusion = DiffusionSettings()
  public var training = TrainingSettings()
  /// How images are drawn: in training's sheets and evaluations, and by the commands unless they are told otherwise.
  public var sampling = SamplerSettings()
  public var evaluation = EvaluationSettings()

  public init() {}

  public struct DataSettings: Sendable, Equatable {
    public var name = "fashion-mnist"
    /// `nil`: where the data set is usually installed.
    public var path: String?
    /// `nil`: the data set's own choice.
    public var flip: Bool?
    /// What is behind transparent pixels of image files; `nil`: there must be none.
    public var background: FolderImages.Background?
    /// What image files become, 1 (grey) or 3 (colour); `nil`: what they are.
    public var channels: Int?
    public var orientation = ImageReader.Turning.upright

    /// How image files are read, and brought to one kind.
    public var fitting: FolderImages.Fitting {
      FolderImages.Fitting(background: background, channels: channels, reader: ImageReader(turning: orientation))
    }

    public init() {}
  }

  public struct ModelSettings: Sendable, Equatable {
    public var channels = 32
    public var multipliers = [1, 2, 2]
    /// Residual blocks per level.
    public var blocks = 1
    public var attentionResolutions = [8]
    public var dropout = 0.0
    /// Groups of each group normalisation. Several channels to a group: one by itself would lose whatever is added to a
    /// channel, such as the time's embedding, and how strong it is.
    public var groups = 8
    /// `nil`: the network is not told classes.
    public var classes: Int?
    public var convolution = ConvolutionMethod.winograd
    /// Defaults: those of DDPM.
    public var architecture = UNetArchitecture.ddpm

    public init() {}
  }

  public struct DiffusionSettings: Sendable, Equatable {
    public var process = Process.discreteVariancePreserving
    public var steps = 1000
    public var schedule = Schedule.linear
    /// Whether the network is told times from 0 to 1000, however many steps there are.
    public var rescaleTimes = false
    public var betaFirst = 1e-4
    public var betaLast = 0.02
    /// Whether the last step leaves nothing of the image.
    public var zeroTerminalSNR = false
    /// `nil`: the process's own choice.
    public var sigmaMin: Double?
    public var sigmaMax: Double?
    public var prediction = Prediction.noise
    public var scaleInput = true
    public var loss = TrainingObjective.Loss.simple
    public var timeSampling = TimeSampling.even
    public var variance = ReverseVariance.small

    public init() {}

    /// How images become noise.
    public enum Process: String, CaseIterable, Sendable {
      case discreteVariancePreserving = "vp"
      case discreteVarianceExploding = "ve"
      case variancePreserving = "vp-sde"
      case varianceExploding = "ve-sde"
      case subVariancePreserving = "sub-vp-sde"
      case edm

      public var isDiscrete: Bool { self == .discreteVariancePreserving || self == .discreteVarianceExploding }
    }

    /// How β_t grows over the steps of `vp`; all but the cosine go from `betaFirst` to `betaLast`.
    public enum Schedule: String, CaseIterable, Sendable {
      case linear
      case cosine
      case quadratic
      case sigmoid
    }

    /// How often each step is drawn in training.
    public enum TimeSampling: String, CaseIterable, Sendable {
      case even
      /// In proportion to how much its losses count (`LossAwareSteps`).
      case lossAware = "loss-aware"
    }
  }

  public struct TrainingSettings: Sendable, Equatable {
    public var steps = 3000
    /// Images per optimiser step, over all ranks.
    public var batch = 32
    public var microBatch = 4
    /// How often an image's class is kept from the network.
    public var labelDropout = 0.0
    public var recomputeActivations = Recomputation.none
    public var learningRate = 1e-3
    public var warmupSteps = 100
    public var schedule = LearningRateSchedule.Decay.constant
    /// `nil`: the end of the warm-up.
    public var decayStart: Int?
    /// `nil`: gradients are not clipped.
    public var maxGradientNorm: Double? = 1
    public var emaDecays = [0.995]
    /// `nil`: averages have their decay from the first step.
    public var emaRampup: Double? = 0.05
    public var adamBeta1 = 0.9
    public var adamBeta2 = 0.999
    public var adamEpsilon = 1e-8
    public var overlap = true
    public var wire = WireFormat.float32
    /// `nil`: after the last step only.
    public var checkpointEvery: Int? = 500
    /// `nil`: all.
    public var keepCheckpoints: Int? = 3
    public var saveBeside = true
    /// `nil`: as long as it takes.
    public var saveTimeoutSeconds: Double? = 1800
    /// `nil`: for ever.
    public var hangTimeoutSeconds: Double? = 600
    /// From the start of the program; `nil`: none.
    public var timeLimitMinutes: Double?
    /// `nil`: after the last step only.
    public var logEvery: Int? = 10
    /// `nil`: never.
    public var sampleEvery: Int? = 1000
    /// Images of a sample grid.
    public var sampleCount = 64
    public var tensorBoard = true

    public init() {}

    /// How gradients travel between machines.
    public enum WireFormat: String, CaseIterable, Sendable {
      case float32
      /// Rounded to 8 bits of precision: half the bytes.
      case bfloat16
    }

    /// What the backward pass makes again instead of keeping it from the forward pass.
    public enum Recomputation: String, CaseIterable, Sendable {
      /// Only what is cheap: normalisations.
      case none
      /// Every residual block, with its attention.
      case blocks
    }
  }

  public struct EvaluationSettings: Sendable, Equatable {
    /// `nil`: images are not measured in training.
    public var every: Int?
    public var count = 1000
    /// Whose features: `inception`, the name of features that the program has, or a file.
    public var features = "fashion-mnist-classifier"
    public var split = DatasetSplit.training
    /// `nil`: all images of the split.
    public var referenceCount: Int?

    public init() {}
  }

  /// Micro-batches that a batch is cut into: the most ranks that can share it.
  public var microBatchCount: Int {
    training.batch / training.microBatch
  }
}
