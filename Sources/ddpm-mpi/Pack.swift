import ArgumentParser
import Files
import Images
import MessagePassing
import Packing

struct Pack: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Pack images into one file to train on, larger than memory if need be.",
    usage: """
      ddpm-mpi pack <source> ... --output <file.h5> [--test <source> ...]
                    [--size <n>] [--channels 1|3] [--background black|white]
                    [--orientation upright|as-stored] [--pixel-limit <n>]
                    [--name <name>] [--flips | --no-flips] [--no-splits]
                    [--skip-damaged]
                    [--force] [--threads <n>]
      """,
    discussion: """
      A source is a folder of PNG and JPEG files, whose subfolders are classes (or splits such as train, \
      val and test, with the classes below); a folder of IDX files, or of CIFAR-10's or CIFAR-100's binary files; an HDF5 file with \
      `images`, uint8 [N, H, W, C], and `labels`; or fashion-mnist or shapes. What it holds as test images is packed \
      as such. Train on the file with data.name=hdf5 and data.path=<file.h5>.
      """)

  @Argument(help: ArgumentHelp("Where images come from; several follow one another.", valueName: "source"))
  var sources: [String]

  @Option(help: ArgumentHelp("The file to write.", valueName: "file.h5"))
  var output: String

  @Option(
    name: .customLong("test"),
    help: ArgumentHelp("Where test images come from; may be repeated.", valueName: "source"))
  var tests: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Make all images squares of n pixels: the middle, averaged over each new pixel's area.", valueName: "n"))
  var size: Int?

  @OptionGroup var images: ImageFileOptions

  @Option(parsing: .unconditional, help: ArgumentHelp("How many pixels an image file may have.", valueName: "n"))
  var pixelLimit = ImageReader.usualPixelLimit

  @Option(help: ArgumentHelp("What the data set is called (default: as the source or the file).", valueName: "name"))
  var name: String?

  @Flag(
    inversion: .prefixedNo,
    help: "Whether training mirrors images by default (default: as the source says, for image files no).")
  var flips: Bool?

  @Flag(help: "Take every subfolder for a class, even one called train or test.")
  var noSplits = false

  @Flag(help: "Leave out images that cannot be used, and list them, instead of stopping at the first.")
  var skipDamaged = false

  @Flag(help: "Replace the file if it exists.")
  var force = false

  @Option(parsing: .unconditional, help: ArgumentHelp("Threads that read images.", valueName: "n"))
  var threads = 1

  func validate() throws {
    if let size, !(1...8192).contains(size) {
      throw ValidationError("--size is \(size); it must be from 1 to 8192.")
    }
    try require("--pixel-limit", pixelLimit, in: 1...1 << 34)
    try require("--threads", threads, in: OptionRange.threads)
    if let name, name.isEmpty { throw ValidationError("--name is empty.") }
  }

  var files: CommandFiles {
    CommandFiles(
      inputs: sources.map { NamedFile("the source", $0) } + tests.map { NamedFile("--test", $0) },
      outputs: [NamedFile("--output", output)])
  }

  mutating func run(on communicator: Communicator) throws {
    var job = PackJob(sources: sources, output: output)
    job.tests = tests
    job.name = name
    job.size = size
    let fitting = images.fitting
    (job.background, job.channels) = (fitting.background, fitting.channels)
    job.reader = ImageReader(turning: fitting.reader.turning, pixelLimit: pixelLimit)
    job.allowsFlips = flips
    job.subfoldersAreClasses = noSplits
    job.skipsDamaged = skipDamaged
    job.replaces = force
    job.threads = threads
    try job.run(communicator: communicator)
  }
}
