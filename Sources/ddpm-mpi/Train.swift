import ArgumentParser
import Checkpoints
import Configuration
import Files
import Inference
import Kernels
import MessagePassing
import Training

struct Train: TrainingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model, or resume a run.",
    usage: """
      ddpm-mpi train [--preset <name> | --config <file>]
                     [--set <key=value> ...] [--output <folder>]
                     [--initial <folder-or-file> [--initial-weights <weights>]]
                     [--resume [--allow-other-data]]
                     [--threads <n>] [--convolution <method>]
                     [--trace <file.h5>] [--trace-steps <n>]
      """,
    discussion: """
      The run folder receives config.yaml, metrics.jsonl, journal.jsonl, checkpoints/, samples/ and tensorboard/. \
      Later sources of configuration override earlier ones: preset, file, --set.

      KEYS
      \(ConfigurationKey.reference)
      """)

  @OptionGroup var options: TrainingOptions

  @Option(
    help: ArgumentHelp(
      """
      Short for --set model.convolution=<method>. direct is for comparison: slower, without the rounding errors of \
      Winograd's transforms.
      """, valueName: "method"))
  var convolution: ConvolutionMethod?

  @Option(
    help: ArgumentHelp("Write the first steps to a file, to replay them in another program.", valueName: "file.h5"))
  var trace: String?

  @Option(number: "Number of steps that --trace writes.")
  var traceSteps = 1

  func validate() throws {
    try require("--trace-steps", traceSteps, in: OptionRange.steps)
  }

  var request: TrainingRun.Request {
    var request = options.request
    if let convolution { request.sources.settings.append("model.convolution=\(convolution.rawValue)") }
    request.trace = trace.map { ($0, traceSteps) }
    return request
  }
}

struct TrainClassifier: TrainingCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-classifier",
    abstract: "Train a classifier of noisy images, for guidance.",
    usage: """
      ddpm-mpi train-classifier [--preset <name> | --config <file>]
                                [--set <key=value> ...] [--output <folder>]
                                [--initial <folder-or-file>]
                                [--initial-weights <weights>]
                                [--resume [--allow-other-data]] [--threads <n>]
      """,
    discussion: """
      Takes the configuration of `ddpm-mpi train`. The process's keys must be those of the model that it will guide; \
      the network is the downsampling half of the U-Net that the model's keys describe. `ddpm-mpi sample --classifier` \
      uses the result. At the steps at which `train` writes samples, it reports its accuracy on test images at several \
      noise levels.
      """)

  @OptionGroup var options: TrainingOptions

  var request: TrainingRun.Request {
    var request = options.request
    request.kind = .classifier
    return request
  }
}

/// A command that trains something.
protocol TrainingCommand: RankCommand {
  var request: TrainingRun.Request { get }
}

extension TrainingCommand {
  // The resulting configurations are compared key by key.
  static var ranksMayDiffer: Bool { true }
  static var stopsWhenAsked: Bool { true }

  // Checked with the run's folder and its data.
  var files: CommandFiles { .none }

  func run(on communicator: Communicator) throws {
    var run = try TrainingRun(request, communicator: communicator)
    try run.run()
  }
}

/// The sources of a configuration.
struct SourceOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Start from a preset: \(presetNames).", valueName: "name"))
  var preset: String?

  @Option(help: ArgumentHelp("Read configuration keys from a YAML file.", valueName: "file"))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Set a configuration key; may be repeated.", valueName: "key=value"))
  var settings: [String] = []

  func validate() throws {
    if preset != nil && config != nil {
      throw ValidationError("--preset and --config exclude each other; a file may say `preset: NAME`.")
    }
  }

  var request: ConfigurationSources { ConfigurationSources(preset: preset, file: config, settings: settings) }
}

/// The sources of a run's configuration, and where and how it runs.
struct TrainingOptions: ParsableArguments {
  @OptionGroup var source: SourceOptions

  @Option(
    help: ArgumentHelp(
      """
      The run folder (default: runs/<preset> or runs/<name of the configuration file>, followed by -classifier for \
      train-classifier).
      """, valueName: "folder"))
  var output: String?

  @Flag(help: "Resume from the newest intact checkpoint in the run folder.")
  var resume = false

  @Flag(help: "Resume even if the images are not those that the checkpoint was trained on.")
  var allowOtherData = false

  @Option(
    help: ArgumentHelp(
      """
      Start a new run with a checkpoint's weights, to fine-tune them. Without --preset and --config, its configuration \
      is used.
      """, valueName: "folder-or-file"))
  var initial: String?

  @Option(
    help: ArgumentHelp(
      "Which of its weights: ema (the first moving average, the default), model, or the decay of an average.",
      valueName: "weights"))
  var initialWeights: ModelRequest.Weights?

  @Option(number: "Threads per rank.")
  var threads = 1

  func validate() throws {
    if initial != nil && resume {
      throw ValidationError("--initial begins a new run and --resume continues one; give one of them.")
    }
    if initial != nil && source.preset == nil && source.config == nil && output == nil {
      throw ValidationError("--initial without --preset and --config needs an --output.")
    }
    if initialWeights != nil && initial == nil { throw ValidationError("--initial-weights is for --initial.") }
    if allowOtherData && !resume { throw ValidationError("--allow-other-data is for --resume.") }
    try require("--threads", threads, in: OptionRange.threads)
  }

  var request: TrainingRun.Request {
    var request = TrainingRun.Request(sources: source.request)
    request.output = output
    request.resumes = resume
    request.threads = threads
    request.allowsOtherData = allowOtherData
    request.initial = initial.map { ($0, initialWeights ?? .ema) }
    return request
  }
}

extension ConvolutionMethod: ExpressibleByArgument {}

let presetNames = Presets.all.map(\.name).joined(separator: ", ")
