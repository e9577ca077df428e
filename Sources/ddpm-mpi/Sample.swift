import ArgumentParser
import Configuration
import Files
import Inference
import MessagePassing

struct Sample: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sample images or fields from a checkpoint.",
    usage: """
      ddpm-mpi sample --checkpoint <folder-or-file> --count <n>
                      [--condition <path> [--members <m>]]
                      [--output <file.h5> [--float]] [--grid <file.png>]
                      [--images <folder>] [--first <k>] [--every <n>]
                      [--seed <n>] [--sampler <name>] [--steps <n>] [--eta <x>]
                      [--spacing leading|trailing|linspace]
                      [--corrections <n>] [--snr <x>] [--tolerance <x>]
                      [--churn <x>] [--churn-min <x>] [--churn-max <x>]
                      [--churn-noise <x>]
                      [--variance small|large|learned-range|learned]
                      [--class <k> | --classes <k,k,...>] [--guidance <g>]
                      [--classifier <folder-or-file>]
                      [--weights ema|model|<decay>]
                      [--latents <file.h5>]
                      [--batch <n>] [--threads <n>]
      """,
    discussion: """
      --output writes an HDF5 file with a dataset `images`, uint8 [N, H, W, C]; --images writes a folder of PNG files, \
      and --grid a sheet. Any number of images takes no more memory than a batch. An image depends only on the seed \
      and its own index, not on the ranks or --batch, and --first reproduces any one of them. `ddpm-mpi samplers` \
      describes the samplers.

      A model trained with classes samples all of them in turn, or those of --class or --classes; a dataset `labels` \
      has the class of each image. --guidance strengthens the influence of the class; 0 samples from the \
      model's own conditional distribution.

      A model trained on fields writes them in physical units, one variable for each channel, to a file that netCDF's \
      readers open. A model trained with data.conditions needs --condition: packed fields with the channels that it is \
      given or, for `grey`, images. --count is then the number of conditions (default: all), --first the first one, \
      and --members the number of samples for each. Member m of condition i depends on the seed, i and m alone.

      EXAMPLES
        mpirun -n 8 ddpm-mpi sample --checkpoint runs/quickstart --count 64 \\
          --output images.h5 --grid images.png
        ddpm-mpi sample --checkpoint runs/quickstart --count 1 --first 7 \\
          --images again
        ddpm-mpi sample --checkpoint runs/quickstart --count 8 --every 25 \\
          --grid trajectories.png
        ddpm-mpi sample --checkpoint runs/downscaling --condition coarse.h5 \\
          --members 16 --output ensemble.nc
      """)

  @OptionGroup var model: ModelOptions

  @Option(number: "Number of images, or of conditions (default: all conditions).")
  var count: Int?

  @OptionGroup var drawing: DrawingOptions

  @Option(
    help: ArgumentHelp("Guide with a classifier trained by `ddpm-mpi train-classifier`.", valueName: "folder-or-file"))
  var classifier: String?

  @Option(
    help: ArgumentHelp(
      "Sample for the given channels in this file of packed fields; for `grey`, for images of an image file, a folder or "
        + "an HDF5 file.", valueName: "path"))
  var condition: String?

  @Option(number: "Number of samples for each condition (default: 1).", valueName: "m")
  var members: Int?

  @Option(help: ArgumentHelp("Start from the file's dataset `latents`, float32 [N, H, W, C].", valueName: "file.h5"))
  var latents: String?

  @Option(help: ArgumentHelp("Write the images or fields to an HDF5 file.", valueName: "file.h5"))
  var output: String?

  @Option(help: ArgumentHelp("Write a sheet of the first images.", valueName: "file.png"))
  var grid: String?

  @Option(
    help: ArgumentHelp(
      "Write PNG files, 000000.png and so on, to a new or empty folder.", valueName: "folder"))
  var images: String?

  @Option(number: "Index of the first image or condition.", valueName: "k")
  var first = 0

  @Option(
    number: "Show the trajectory of each image, every n steps: as rows of --grid, as folders of frames in --images.")
  var every: Int?

  @Flag(help: "Also write the float32 datasets `samples`, the images in [-1, 1], and `latents`.")
  var float = false

  func validate() throws {
    let numbers = OptionRange.imageNumbers
    try require("--first", first, in: 0...numbers.upperBound - 1)
    if count == nil && condition == nil { throw ValidationError("Missing expected argument '--count <n>'.") }
    try require("--count", count, in: 1...numbers.upperBound - first)
    try require("--members", members, in: OptionRange.members)
    if members != nil && condition == nil { throw ValidationError("--members is for --condition.") }
    try require("--every", every, in: OptionRange.steps)
    if output == nil && grid == nil && images == nil {
      throw ValidationError("Nothing would be written: give --output, --images or --grid.")
    }
    if every != nil && grid == nil && images == nil { throw ValidationError("--every needs --grid or --images.") }
    if float && output == nil { throw ValidationError("--float needs --output.") }
  }

  var files: CommandFiles {
    CommandFiles(
      inputs: model.files + (classifier.map { RunFolder.files(at: $0, option: "--classifier") } ?? [])
        + NamedFile.list(("--condition", condition), ("--latents", latents)),
      outputs: outputs.files, outputFolders: outputs.folders)
  }

  private var outputs: ImageOutputs {
    ImageOutputs(file: output, grid: grid, images: images, every: every, writesFloats: float)
  }

  mutating func run(on communicator: Communicator) throws {
    var job = SampleJob(model.request(drawing.keys), count: count)
    job.first = first
    job.condition = condition
    if let members { job.members = members }
    job.seed = drawing.seed
    job.classes = drawing.wantedClasses
    job.classifier = classifier
    job.latents = latents
    job.outputs = outputs
    try job.run(communicator: communicator)
  }
}
