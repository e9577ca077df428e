import ArgumentParser
import Diffusion
import Files
import Inference
import MessagePassing

struct Encode: FlowCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn images into latents by the probability-flow equation.",
    usage: """
      ddpm-mpi encode --checkpoint <folder-or-file> --count <n>
                      --output <file.h5> [--grid <file.png>]
                      [--split test|training] [--data-path <folder>]
                      [--background black|white]
                      [--class <k>] [--tolerance <x>]
                      [--weights ema|model|<decay>]
                      [--batch <n>] [--threads <n>]
      """,
    discussion: """
      Writes float32 `latents` [N, H, W, C], which for a good model are standard normal, the `images` as bytes, and \
      their `labels`. `ddpm-mpi decode` recovers the images.
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var flow: FlowOptions
  @OptionGroup var data: DataOptions

  @Option(number: "Number of images, the first of the split.")
  var count: Int

  @Option(help: ArgumentHelp("The file to write.", valueName: "file.h5"))
  var output: String

  @Option(help: ArgumentHelp("Write a sheet of the images too.", valueName: "file.png"))
  var grid: String?

  func validate() throws {
    try require("--count", count, in: OptionRange.images)
  }

  var outputs: ImageOutputs { ImageOutputs(file: output, grid: grid) }
  var action: LatentJob.Action { .encode(data.choice(count: count)) }
}

struct Decode: FlowCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn latents into images by the probability-flow equation.",
    usage: """
      ddpm-mpi decode --checkpoint <folder-or-file> --latents <file.h5>
                      --output <file.h5> [--float] [--grid <file.png>]
                      [--class <k>] [--tolerance <x>]
                      [--weights ema|model|<decay>]
                      [--batch <n>] [--threads <n>]
      """,
    discussion: """
      Reads the output of `ddpm-mpi encode` and recovers the encoded images. Writes `images`, uint8 [N, H, W, C].
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var flow: FlowOptions

  @Option(help: ArgumentHelp("A file with the dataset `latents`, float32 [N, H, W, C].", valueName: "file.h5"))
  var latents: String

  @Option(help: ArgumentHelp("The file to write.", valueName: "file.h5"))
  var output: String

  @Flag(help: "Also write float32 `samples`, the images in [-1, 1].")
  var float = false

  @Option(help: ArgumentHelp("Write a sheet of the images too.", valueName: "file.png"))
  var grid: String?

  var inputs: [NamedFile] { [NamedFile("--latents", latents)] }
  var outputs: ImageOutputs { ImageOutputs(file: output, grid: grid, writesFloats: float) }
  var action: LatentJob.Action { .decode(latents: latents) }
}

struct Interpolate: FlowCommand {
  static let configuration = CommandConfiguration(
    abstract: "Interpolate between images, as a sheet.",
    usage: """
      ddpm-mpi interpolate --checkpoint <folder-or-file> --grid <file.png>
                           [--rows <n>] [--columns <n>] [--random]
                           [--seed <n>] [--split test|training]
                           [--data-path <folder>] [--background black|white]
                           [--class <k>]
                           [--output <file.h5> [--float]] [--tolerance <x>]
                           [--weights ema|model|<decay>]
                           [--batch <n>] [--threads <n>]
      """,
    discussion: """
      Each row goes from one image of the data set to the next, or to the next of its class if the model has classes: \
      both are encoded, their latents are interpolated spherically, and all are decoded. With --random the ends are \
      random latents.
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var flow: FlowOptions
  @OptionGroup var data: DataOptions

  @Option(help: ArgumentHelp("The sheet to write.", valueName: "file.png"))
  var grid: String

  @Option(number: "Number of rows.")
  var rows = 8

  @Option(number: "Images per row, including its two ends.")
  var columns = 9

  @Flag(help: "Interpolate between random latents.")
  var random = false

  @Option(number: "Seed of random latents (default: 0).")
  var seed: UInt64?

  @Option(help: ArgumentHelp("Also write the images to a file.", valueName: "file.h5"))
  var output: String?

  @Flag(help: "Also write float32 `samples`, the images in [-1, 1], and `latents` to it.")
  var float = false

  func validate() throws {
    // Each row has two ends, and each of them a number.
    try require("--rows", rows, in: 1...OptionRange.imageNumbers.count / 2)
    try require("--columns", columns, in: 2...OptionRange.imageNumbers.count / rows)
    if random && (data.split != nil || data.files.dataPath != nil) {
      throw ValidationError("--split and --data-path are not for --random, which takes no images.")
    }
    if seed != nil && !random { throw ValidationError("--seed is for --random.") }
    if float && output == nil { throw ValidationError("--float needs --output.") }
  }

  var outputs: ImageOutputs { ImageOutputs(file: output, grid: grid, writesFloats: float) }

  var action: LatentJob.Action {
    var interpolation = LatentJob.Interpolation(rows: rows, columns: columns)
    interpolation.data = random ? nil : data.choice(count: 2 * rows)
    if let seed { interpolation.seed = seed }
    return .interpolate(interpolation)
  }
}

/// Options of the probability-flow equation.
struct FlowOptions: ParsableArguments {
  @Option(
    name: .customLong("class"),
    number: "Class that conditions a model with classes; none for no class (default: each image's own).",
    valueName: "k")
  var classNumber: ClassNumber?

  @Option(number: "Error tolerance of the solver per step.", valueName: "x")
  var tolerance = ProbabilityFlowSampler.defaultTolerance
}

/// A command that follows the probability-flow equation.
protocol FlowCommand: RankCommand {
  var model: ModelOptions { get }
  var flow: FlowOptions { get }
  /// What it reads besides the model.
  var inputs: [NamedFile] { get }
  var outputs: ImageOutputs { get }
  var action: LatentJob.Action { get }
}

extension FlowCommand {
  var inputs: [NamedFile] { [] }

  var files: CommandFiles { CommandFiles(inputs: model.files + inputs, outputs: outputs.files) }

  func run(on communicator: Communicator) throws {
    var job = LatentJob(model.request(), action)
    job.tolerance = flow.tolerance
    if let classNumber = flow.classNumber { job.condition = .same(classNumber.number) }
    job.outputs = outputs
    try job.run(communicator: communicator)
  }
}
