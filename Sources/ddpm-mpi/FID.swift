import ArgumentParser
import Files
import Inference
import MessagePassing

struct FID: RankCommand {
  static let configuration = CommandConfiguration(
    commandName: "fid",
    abstract: "Compute the Frechet distance between two sets of images.",
    usage: """
      ddpm-mpi fid <a> <b> [--features inception|<name>|<file>] [--json]
                   [--save-statistics <file.npz>]
                   [--inception-weights <file>] [--threads <n>]
                   [--channels 1|3] [--background black|white]
                   [--orientation upright|as-stored]
      """,
    discussion: """
      Each side is a folder of PNG or JPEG images of one size, an HDF5 file with a dataset `images`, uint8 [N, H, W, \
      C], as `ddpm-mpi sample` and `pack` write them, or a file of statistics, .npz with `mu` and `sigma`, as \
      pytorch-fid writes them.

      EXAMPLES
        ddpm-mpi fid images.h5 photographs/ --features inception
        mpirun -n 8 ddpm-mpi fid images.h5 train.npz --features inception --json
      """)

  @Argument(help: ArgumentHelp("A folder, an HDF5 file, or statistics (.npz).", valueName: "a"))
  var first: String

  @Argument(help: ArgumentHelp("The other side, likewise.", valueName: "b"))
  var second: String

  @OptionGroup var features: FeatureOptions

  @OptionGroup var images: ImageFileOptions

  @Flag(help: "Print one line of JSON: fid, features, feature_hash, count_a, count_b.")
  var json = false

  @Option(help: ArgumentHelp("Write the statistics of <a>.", valueName: "file.npz"))
  var saveStatistics: String?

  @Option(number: "Threads per rank.")
  var threads = 1

  func validate() throws {
    try require("--threads", threads, in: OptionRange.threads)
  }

  var files: CommandFiles {
    CommandFiles(
      inputs: [NamedFile("<a>", first), NamedFile("<b>", second)] + features.files,
      outputs: NamedFile.list(("--save-statistics", saveStatistics)))
  }

  mutating func run(on communicator: Communicator) throws {
    var job = FrechetJob(first, second)
    job.features = features.features
    job.inceptionWeights = features.inceptionWeights
    job.fitting = images.fitting
    job.statisticsFile = saveStatistics
    job.threads = threads
    job.printsJSON = json
    try job.run(communicator: communicator)
  }
}
