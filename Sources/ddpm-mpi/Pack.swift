import ArgumentParser
import Datasets
import Failures
import Files
import Images
import MessagePassing
import Packing

struct Pack: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Pack images or fields of any total size into one file for training.",
    usage: """
      ddpm-mpi pack <source> ... --output <file.h5> [--test <source> ...]
                    [--size <n>] [--channels 1|3] [--background black|white]
                    [--orientation upright|as-stored] [--pixel-limit <n>]
                    [--name <name>] [--flips | --no-flips] [--no-splits]
                    [--skip-damaged]
                    [--force] [--threads <n>]
      ddpm-mpi pack <file> ... --output <file.h5> [--test <file> ...]
                    [--variables <u,v,…>] [--names <a,b,…>]
                    [--order nhwc|nchw|hwcn] [--levels <500,850,…>]
                    [--crop <HxW> | --pad <HxW>] [--coarse <n>]
                    [--missing refuse|mask]
                    [--name <name>] [--force] [--threads <n>]
      """,
    discussion: """
      A source is a folder of PNG and JPEG files, whose subfolders are classes (or splits such as train, val and test, \
      with the classes below); a folder of IDX files, or of CIFAR-10's or CIFAR-100's binary files; an HDF5 file with \
      `images`, uint8 [N, H, W, C], and `labels`; or fashion-mnist or shapes. Its test images are packed as test \
      images. Train on the file with data.name=hdf5 and data.path=<file.h5>.

      Fields are numbers on a grid: variables of HDF5 or NetCDF-4 files with the dimensions [time, y, x] or \
      [time, level, y, x], or arrays in NumPy's .npy or .npz. They are recognised by having no `images`, or by any \
      option of the second form; they keep their units, and become float32.
      """)

  @Argument(
    help: ArgumentHelp(
      "Source of images, or file of fields; several are packed one after another.", valueName: "source"))
  var sources: [String]

  @Option(help: ArgumentHelp("The file to write.", valueName: "file.h5"))
  var output: String

  @Option(
    name: .customLong("test"),
    help: ArgumentHelp("Source of test images or fields; may be repeated.", valueName: "source"))
  var tests: [String] = []

  @Option(number: "Crop images to their central square and resize it to n pixels.")
  var size: Int?

  @OptionGroup var images: ImageFileOptions

  @OptionGroup var fields: FieldOptions

  @Option(number: "Maximum number of pixels of an image file.")
  var pixelLimit = ImageReader.usualPixelLimit

  @Option(help: ArgumentHelp("Name of the data set (default: that of the source or the file).", valueName: "name"))
  var name: String?

  @Flag(
    inversion: .prefixedNo,
    help: "Whether training mirrors images by default (default: that of the source; no for image files).")
  var flips: Bool?

  @Flag(help: "Treat every subfolder as a class, even one called train or test.")
  var noSplits = false

  @Flag(help: "Skip and list images that cannot be used, instead of stopping at the first.")
  var skipDamaged = false

  @Flag(help: "Replace the file if it exists.")
  var force = false

  @Option(number: "Threads that read images.")
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
    // On several ranks, either job says that only one is allowed.
    let areFields = fields.areUsed || (communicator.size == 1 && sources.contains(where: FieldPackJob.recognises))
    try areFields ? packFields(communicator) : packImages(communicator)
  }

  private func packFields(_ communicator: Communicator) throws {
    let optionsOfImages = [
      size.map { "--size \($0)" }, images.channels.map { "--channels \($0)" },
      images.background.map { "--background \($0.rawValue)" },
      images.orientation == .upright ? nil : "--orientation \(images.orientation.rawValue)",
      pixelLimit == ImageReader.usualPixelLimit ? nil : "--pixel-limit \(pixelLimit)",
      flips.map { $0 ? "--flips" : "--no-flips" }, noSplits ? "--no-splits" : nil,
      skipDamaged ? "--skip-damaged" : nil,
    ]
    if let option = optionsOfImages.compactMap(\.self).first {
      throw InputError("\(option) applies to images, but fields are to be packed; remove it")
    }
    var job = FieldPackJob(sources: sources, output: output)
    job.tests = tests
    job.name = name
    job.selection = fields.selection
    job.names = fields.names.map(FieldOptions.parts)
    job.recipe = fields.recipe
    job.replaces = force
    job.threads = threads
    try job.run(communicator: communicator)
  }

  private func packImages(_ communicator: Communicator) throws {
    var job = PackJob(sources: sources, output: output)
    job.tests = tests
    job.name = name
    job.fitting = images.fitting
    job.fitting.side = size
    job.fitting.reader.pixelLimit = pixelLimit
    job.allowsFlips = flips
    job.subfoldersAreClasses = noSplits
    job.skipsDamaged = skipDamaged
    job.replaces = force
    job.threads = threads
    try job.run(communicator: communicator)
  }
}
