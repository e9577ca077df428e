import ArgumentParser
import Configuration
import Diffusion
import Inference
import Jobs
import MessagePassing

struct Sample: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw images from a checkpoint.",
    usage: """
      ddpm-mpi sample --checkpoint <folder-or-file> --count <n>
                      --output <file.h5> [--grid <file.png>] [--seed <n>]
                      [--sampler <name>] [--steps <n>] [--eta <x>]
                      [--spacing leading|trailing|linspace]
                      [--corrections <n>] [--snr <x>] [--tolerance <x>]
                      [--churn <x>] [--churn-min <x>] [--churn-max <x>]
                      [--churn-noise <x>]
                      [--variance small|large|learned-range|learned]
                      [--class <k> | --classes <k,k,...>] [--guidance <g>]
                      [--classifier <folder-or-file>]
                      [--weights ema|model|<decay>]
                      [--latents <file.h5>] [--float]
                      [--batch <n>] [--threads <n>]
      """,
    discussion: """
      Writes an HDF5 file with a dataset `images`, uint8 [N, H, W, C]. An image depends on the seed and its own number \
      alone: more ranks or another --batch draw the same ones. `ddpm-mpi samplers` describes the samplers.

      A model that was trained with classes draws all of them in turn, or those of --class or --classes; a dataset \
      `labels` tells which. --guidance leads more strongly to them the larger it is: 0 draws from the distribution of \
      the class as it is.
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: ArgumentHelp("How many images.", valueName: "n"))
  var count: Int

  @Option(help: ArgumentHelp("Seed of latents and noise.", valueName: "n"))
  var seed: UInt64 = 0

  @OptionGroup var sampler: SamplerOptions

  @OptionGroup var conditions: ConditionOptions

  @Option(help: ArgumentHelp("What `ddpm-mpi train-classifier` made, to guide with.", valueName: "folder-or-file"))
  var classifier: String?

  @Option(help: ArgumentHelp("Start from its dataset `latents`, float32 [N, H, W, C].", valueName: "file.h5"))
  var latents: String?

  @Option(help: ArgumentHelp("The file to write.", valueName: "file.h5"))
  var output: String

  @Option(help: ArgumentHelp("Write a sheet of the images too.", valueName: "file.png"))
  var grid: String?

  @Flag(help: "Write float32 datasets `samples`, the images in [-1, 1], and `latents` too.")
  var float = false

  func validate() throws {
    try require("--count", count, in: OptionRange.images)
  }

  mutating func run(on communicator: Communicator) throws {
    var job = SampleJob(model.request, count: count, output: output)
    job.seed = seed
    job.sampler = sampler.choice
    job.conditions = conditions.request
    job.classifier = classifier
    job.latents = latents
    job.grid = grid
    job.writesFloats = float
    try job.run(communicator: communicator)
  }
}
