import Datasets
import Diffusion
import Images
import Kernels
import Network
import Optimisation

/// Everything that determines what a run computes and when it saves.
///
/// A new value contains every key's default, which is the `quickstart` preset. `ConfigurationKey.all` describes the
/// keys: their names in YAML, their meaning and their allowed values.
public struct RunConfiguration: Sendable, Equatable {
  public var seed: UInt64 = 0
  public var data = DataSettings()
  public var model = ModelSettings()
  public var diffusion = DiffusionSettings()
  public var training = TrainingSettings()
  /// How images are drawn: for training's sheets and evaluations, and by commands unless options override it.
  public var sampling = SamplerSettings()
  public var evaluation = EvaluationSettings()

  public init() {}

  public struct DataSettings: Sendable, Equatable {
    public var name = "fashion-mnist"
    /// nil: the data set's usual location.
    public var path: String?
    /// nil: the data set's own default.
    public var flip: Bool?
    /// The background of transparent pixels of image files; nil: there must be none.
    public var background: FolderImages.Background?
    /// The channels that image files are converted to, 1 (grey) or 3 (colour); nil: no conversion.
    public var channels: Int?
    public var orientation = ImageReader.Turning.upright

    /// How image files are read and converted to one kind.
    public var fitting: FolderImages.Fitting {
      FolderImages.Fitting(background: background, channels: channels, reader: ImageReader(turning: orientation))
    }
  }

  public struct ModelSettings: Sendable, Equatable {
    public var channels = 32
    public var multipliers = [1, 2, 2]
    /// Residual blocks per level.
    public var blocks = 1
    public var attentionResolutions = [8]
    public var dropout = 0.0
    /// Groups of each group normalisation. Each group should have several channels: with a single one, the
    /// normalisation would remove a value that is added to the whole channel, such as the time embedding, together with
    /// its scale.
    public var groups = 8
    /// nil: the network is not conditioned on classes.
    public var classes: Int?
    public var convolution = ConvolutionMethod.winograd
    /// The defaults are those of DDPM.
    public var architecture = UNetArchitecture.ddpm

    public init() {}
  }

  public struct DiffusionSettings: Sendable, Equatable {
    public var process = Process.discreteVariancePreserving
    public var steps = 1000
    public var schedule = Schedule.linear
    /// Whether the network's time input ranges from 0 to 1000 for any number of steps.
    public var rescaleTimes = false
    public var betaFirst = 1e-4
    public var betaLast = 0.02
    /// Whether the last step leaves nothing of the image.
    public var zeroTerminalSNR = false
    /// nil: the process's own default.
    public var sigmaMin: Double?
    public var sigmaMax: Double?
    public var prediction = Prediction.noise
    public var scaleInput = true
    public var loss = TrainingObjective.Loss.simple
    public var timeSampling = TimeSampling.even
    public var variance = ReverseVariance.small

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

    /// How β_t grows over the steps of `vp`; all schedules except cosine go from `betaFirst` to `betaLast`.
    public enum Schedule: String, CaseIterable, Sendable {
      case linear
      case cosine
      case quadratic
      case sigmoid
    }

    /// The distribution of the steps drawn in training.
    public enum TimeSampling: String, CaseIterable, Sendable {
      case even
      /// In proportion to the magnitude of the step's losses (`LossAwareSteps`).
      case lossAware = "loss-aware"
    }
  }

  public struct TrainingSettings: Sendable, Equatable {
    public var steps = 3000
    /// Images per optimiser step, over all ranks.
    public var batch = 32
    public var microBatch = 4
    /// The probability of hiding an image's class from the network.
    public var labelDropout = 0.0
    public var recomputeActivations = Recomputation.none
    public var learningRate = 1e-3
    public var warmupSteps = 100
    public var schedule = LearningRateSchedule.Decay.constant
    /// nil: the end of the warm-up.
    public var decayStart: Int?
    /// nil: gradients are not clipped.
    public var maxGradientNorm: Double? = 1
    public var emaDecays = [0.995]
    /// nil: averages use their decay from the first step.
    public var emaRampup: Double? = 0.05
    public var adamBeta1 = 0.9
    public var adamBeta2 = 0.999
    public var adamEpsilon = 1e-8
    public var overlap = true
    public var wire = WireFormat.float32
    /// nil: only after the last step.
    public var checkpointEvery: Int? = 500
    /// nil: all.
    public var keepCheckpoints: Int? = 3
    public var saveBeside = true
    /// nil: no limit.
    public var saveTimeoutSeconds: Double? = 1800
    /// nil: no limit.
    public var hangTimeoutSeconds: Double? = 600
    /// From the start of the program; nil: none.
    public var timeLimitMinutes: Double?
    /// nil: only after the last step.
    public var logEvery: Int? = 10
    /// nil: never.
    public var sampleEvery: Int? = 1000
    /// Images of a sample grid.
    public var sampleCount = 64
    public var tensorBoard = true

    /// The format of gradients sent between machines.
    public enum WireFormat: String, CaseIterable, Sendable {
      case float32
      /// Rounded to 8 bits of precision: half the bytes.
      case bfloat16
    }

    /// What the backward pass recomputes instead of keeping it from the forward pass.
    public enum Recomputation: String, CaseIterable, Sendable {
      /// Only what is cheap: normalisations.
      case none
      /// Every residual block, with its attention.
      case blocks
    }
  }

  public struct EvaluationSettings: Sendable, Equatable {
    /// nil: images are not evaluated during training.
    public var every: Int?
    public var count = 1000
    /// The feature network: `inception`, the embedded classifier, or a file.
    public var features = "fashion-mnist-classifier"
    public var split = DatasetSplit.training
    /// nil: all images of the split.
    public var referenceCount: Int?
  }

  /// The number of micro-batches in a batch, which is the maximum number of ranks that can share it.
  public var microBatchCount: Int {
    training.batch / training.microBatch
  }
}
