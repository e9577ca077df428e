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
package struct RunConfiguration: Sendable, Equatable {
  package var seed: UInt64 = 0
  package var data = DataSettings()
  package var model = ModelSettings()
  package var diffusion = DiffusionSettings()
  package var training = TrainingSettings()
  /// How images are drawn: for training's sheets and evaluations, and by commands unless options override it.
  package var sampling = SamplerSettings()
  package var evaluation = EvaluationSettings()

  package init() {}

  package struct DataSettings: Sendable, Equatable {
    package var name = "fashion-mnist"
    /// nil: the data set's usual location.
    package var path: String?
    /// nil: the data set's own default.
    package var flip: Bool?
    /// The background of transparent pixels of image files; nil: there must be none.
    package var background: FolderImages.Background?
    /// The channels that image files are converted to, 1 (grey) or 3 (colour), nil: no conversion; of `gaussian-field`,
    /// nil: one.
    package var channels: Int?
    package var orientation = ImageReader.Turning.upright
    /// The channels that are given to the network: variables of fields, or `grey`.
    package var conditions: [String] = []
    /// Of fields.
    package var normalisation = FieldNormalisation.standard

    /// How image files are read and converted to one kind.
    package var fitting: FolderImages.Fitting {
      FolderImages.Fitting(background: background, channels: channels, reader: ImageReader(turning: orientation))
    }
  }

  package struct ModelSettings: Sendable, Equatable {
    package var channels = 32
    package var multipliers = [1, 2, 2]
    /// Residual blocks per level.
    package var blocks = 1
    package var attentionResolutions = [8]
    package var dropout = 0.0
    /// Groups of each group normalisation. Each group should have several channels: with a single one, the
    /// normalisation would remove a value that is added to the whole channel, such as the time embedding, together with
    /// its scale.
    package var groups = 8
    /// nil: the network is not conditioned on classes.
    package var classes: Int?
    package var convolution = ConvolutionMethod.winograd
    package var precision = Precision.float32
    /// The axes along which images are periodic.
    package var periodicity = Periodicity.none
    /// The defaults are those of DDPM.
    package var architecture = UNetArchitecture.ddpm

    package init() {}
  }

  package struct DiffusionSettings: Sendable, Equatable {
    package var process = Process.discreteVariancePreserving
    package var steps = 1000
    package var schedule = Schedule.linear
    /// Whether the network's time input ranges from 0 to 1000 for any number of steps.
    package var rescaleTimes = false
    package var betaFirst = 1e-4
    package var betaLast = 0.02
    /// Whether the last step leaves nothing of the image.
    package var zeroTerminalSNR = false
    /// nil: the process's own default.
    package var sigmaMin: Double?
    package var sigmaMax: Double?
    /// The standard deviation of the data, for the preconditioning of `edm`. nil before it is known (`fitted(to:)`).
    package var sigmaData: Double?
    package var prediction = Prediction.noise
    package var scaleInput = true
    package var loss = TrainingObjective.Loss.simple
    /// For the loss `edm`.
    package var levels = NoiseLevels()
    package var timeSampling = TimeSampling.even
    package var variance = ReverseVariance.small

    /// How images become noise.
    package enum Process: String, CaseIterable, Sendable {
      case discreteVariancePreserving = "vp"
      case discreteVarianceExploding = "ve"
      case variancePreserving = "vp-sde"
      case varianceExploding = "ve-sde"
      case subVariancePreserving = "sub-vp-sde"
      case edm

      package var isDiscrete: Bool { self == .discreteVariancePreserving || self == .discreteVarianceExploding }
    }

    /// How β_t grows over the steps of `vp`; all schedules except cosine go from `betaFirst` to `betaLast`.
    package enum Schedule: String, CaseIterable, Sendable {
      case linear
      case cosine
      case quadratic
      case sigmoid
    }

    /// The distribution of the steps drawn in training.
    package enum TimeSampling: String, CaseIterable, Sendable {
      case even
      /// In proportion to the magnitude of the step's losses (`LossAwareSteps`).
      case lossAware = "loss-aware"
    }
  }

  package struct TrainingSettings: Sendable, Equatable {
    package var steps = 3000
    /// Images per optimiser step, over all ranks.
    package var batch = 32
    package var microBatch = 4
    /// The probability of hiding an image's class from the network.
    package var labelDropout = 0.0
    /// The probability of hiding a sample's given channels from the network.
    package var conditionDropout = 0.0
    package var recomputeActivations = Recomputation.none
    package var learningRate = 1e-3
    package var warmupSteps = 100
    package var schedule = LearningRateSchedule.Decay.constant
    /// nil: the end of the warm-up.
    package var decayStart: Int?
    /// nil: gradients are not clipped.
    package var maxGradientNorm: Double? = 1
    package var emaDecays = [0.995]
    /// nil: averages use their decay from the first step.
    package var emaRampup: Double? = 0.05
    package var adamBeta1 = 0.9
    package var adamBeta2 = 0.999
    package var adamEpsilon = 1e-8
    package var overlap = true
    package var releasesGradients = false
    package var wire = WireFormat.float32
    /// nil: only after the last step.
    package var checkpointEvery: Int? = 500
    /// nil: all.
    package var keepCheckpoints: Int? = 3
    package var saveBeside = true
    /// nil: no limit.
    package var saveTimeoutSeconds: Double? = 1800
    /// nil: no limit.
    package var hangTimeoutSeconds: Double? = 600
    /// From the start of the program; nil: none.
    package var timeLimitMinutes: Double?
    /// nil: only after the last step.
    package var logEvery: Int? = 10
    /// nil: never.
    package var sampleEvery: Int? = 1000
    /// Images of a sample grid.
    package var sampleCount = 64
    package var tensorBoard = true

    /// The format of gradients sent between machines.
    package enum WireFormat: String, CaseIterable, Sendable {
      case float32
      /// Rounded to 8 bits of precision: half the bytes.
      case bfloat16
    }

    /// What the backward pass recomputes instead of keeping it from the forward pass.
    package enum Recomputation: String, CaseIterable, Sendable {
      /// Only what is cheap: normalisations.
      case none
      /// Every residual block, with its attention.
      case blocks
    }
  }

  package struct EvaluationSettings: Sendable, Equatable {
    /// nil: samples are not evaluated during training.
    package var every: Int?
    package var count = 1000
    /// Fields drawn for each condition.
    package var members = 8
    /// The names of measures; empty for the default ones.
    package var measures: [String] = []
    /// The feature network: `inception`, the embedded classifier, or a file.
    package var features = "fashion-mnist-classifier"
    package var split = DatasetSplit.training
    /// nil: all images of the split.
    package var referenceCount: Int?
  }

  /// The number of micro-batches in a batch, which is the maximum number of ranks that can share it.
  package var microBatchCount: Int {
    training.batch / training.microBatch
  }
}
