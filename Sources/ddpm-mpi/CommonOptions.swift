import ArgumentParser
import Configuration
import Datasets
import Files
import Images
import Inference

/// The model to use, and how it is run.
struct ModelOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A checkpoint file, or a run folder.", valueName: "folder-or-file"))
  var checkpoint: String

  @Option(
    help: ArgumentHelp(
      "Weights to use: ema (the first moving average), model (those of the last step), or the decay of an average.",
      valueName: "weights"))
  var weights = ModelRequest.Weights.ema

  @Option(number: "Images per network evaluation on each rank.")
  var batch = 32

  @Option(number: "Threads per rank.")
  var threads = 1

  func validate() throws {
    try require("--batch", batch, in: OptionRange.batch)
    try require("--threads", threads, in: OptionRange.threads)
  }

  var files: [NamedFile] { RunFolder.files(at: checkpoint, option: "--checkpoint") }

  /// - Parameter keys: keys of `sampling` that override those of the checkpoint.
  func request(_ keys: [KeyOption] = []) -> ModelRequest {
    var request = ModelRequest(checkpoint: checkpoint)
    request.weights = weights
    request.keys = keys
    request.batch = batch
    request.threads = threads
    return request
  }
}

/// A preset, and keys that override it.
struct PresetOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The network and its training: \(presetNames).", valueName: "name"))
  var preset = "cifar10"

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Set a configuration key; may be repeated.", valueName: "key=value"))
  var settings: [String] = []
}

/// Where the files of the model's data set are, and how they are read.
struct DataFileOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Folder of the data set (default: as in training).", valueName: "folder"))
  var dataPath: String?

  @Option(help: "Background behind transparent pixels of image files (default: as in training).")
  var background: FolderImages.Background?
}

/// Which images of the model's data set.
struct DataOptions: ParsableArguments {
  @Option(help: "Split of the model's data set (default: test).")
  var split: DatasetSplit?

  @OptionGroup var files: DataFileOptions

  func choice(count: Int) -> DataChoice {
    var choice = DataChoice(count: count)
    if let split { choice.split = split }
    choice.path = files.dataPath
    choice.background = files.background
    return choice
  }
}

/// How image files are read and converted to one kind.
struct ImageFileOptions: ParsableArguments {
  @Option(
    number:
      "Convert all images to grey (1) or colour (3) (default: pack converts all to colour if one is in colour; for fid "
      + "all must be of one kind).",
    valueName: "1|3")
  var channels: Int?

  @Option(help: "Background behind transparent pixels, which are refused otherwise.")
  var background: FolderImages.Background?

  @Option(help: "Whether images are turned upright, according to their EXIF data.")
  var orientation = ImageReader.Turning.upright

  func validate() throws {
    if let channels, channels != 1 && channels != 3 {
      throw ValidationError("--channels is \(channels); it must be 1 or 3.")
    }
  }

  var fitting: FolderImages.Fitting {
    FolderImages.Fitting(background: background, channels: channels, reader: ImageReader(turning: orientation))
  }
}

/// A list for help: a line for each name and what it is, or two if one would be too long.
func helpList(_ entries: [(name: String, summary: String)]) -> String {
  entries.map { name, summary in
    let line = "  \(name): \(summary)"
    return line.count < 80 ? line : "  \(name):\n    \(summary)"
  }.joined(separator: "\n")
}

extension ModelRequest.Weights: ExpressibleByArgument {}
extension FolderImages.Background: ExpressibleByArgument {}
extension ImageReader.Turning: ExpressibleByArgument {}
