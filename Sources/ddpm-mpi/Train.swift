import ArgumentParser
import Kernels
import MessagePassing
import Training

struct Train: RankCommand {
  // The configurations are compared key by key once they are put together.
  static let ranksMayDiffer = true

  static let configuration = CommandConfiguration(
    abstract: "Train a model, or go on with a run.",
    usage: """
      ddpm-mpi train [--preset <name> | --config <file>]
                     [--set <key=value> ...] [--output <folder>] [--resume]
                     [--threads <n>] [--convolution <method>]
                     [--trace <file.h5>] [--trace-steps <n>]
      """,
    discussion: """
      The run's folder receives config.yaml, metrics.jsonl, checkpoints/ and samples/. A later source of configuration \
      wins over an earlier one: preset, file, --set.

      KEYS
      \(ConfigurationKey.reference)
      """)

  @Option(help: ArgumentHelp("Start from a preset: \(presetNames).", valueName: "name"))
  var preset: String?

  @Option(help: ArgumentHelp("Read configuration keys from a YAML file.", valueName: "file"))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Set one configuration key; may be repeated.", valueName: "key=value"))
  var settings: [String] = []

  @Option(help: ArgumentHelp("The run's folder (default: runs/<preset>).", valueName: "folder"))
  var output: String?

  @Flag(help: "Go on from the newest whole checkpoint in the run's folder.")
  var resume = false

  @Option(help: ArgumentHelp("Threads per rank.", valueName: "n"))
  var threads = 1

  @Option(
    help: ArgumentHelp(
      """
      The same as --set model.convolution=<method>. direct is for comparison: slower, without the rounding of \
      Winograd's transforms.
      """, valueName: "method"))
  var convolution: ConvolutionMethod?

  @Option(help: ArgumentHelp("Write the first steps to a file, to replay them elsewhere.", valueName: "file.h5"))
  var trace: String?

  @Option(help: ArgumentHelp("How many steps --trace writes.", valueName: "n"))
  var traceSteps = 1

  func validate() throws {
    if preset != nil && config != nil {
      throw ValidationError("--preset and --config exclude each other; a file may say `preset: NAME`.")
    }
    if threads < 1 { throw ValidationError("--threads is \(threads); it must be at least 1.") }
    if traceSteps < 1 { throw ValidationError("--trace-steps is \(traceSteps); it must be at least 1.") }
  }

  mutating func run(on communicator: Communicator) throws {
    let settings = settings + (convolution.map { ["model.convolution=\($0.rawValue)"] } ?? [])
    let request = TrainingRun.Request(
      sources: ConfigurationSources(preset: preset, file: config, settings: settings), output: output,
      resumes: resume, threads: threads, trace: trace.map { ($0, traceSteps) })
    try TrainingRun(request, communicator: communicator).run()
  }
}

extension ConvolutionMethod: ExpressibleByArgument {}

let presetNames = Presets.all.map(\.name).joined(separator: ", ")
