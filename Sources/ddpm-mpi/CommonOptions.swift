import ArgumentParser
import Configuration
import Datasets
import Files
import Inference
import Jobs

/// Which model, and how it is run.
struct ModelOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A checkpoint file, or a run's folder.", valueName: "folder-or-file"))
  var checkpoint: String

  @Option(
    help: ArgumentHelp(
      "Weights to use: ema (the first average), model (those of the last step), or an average's decay.",
      valueName: "weights"))
  var weights = ModelRequest.Weights.ema

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Images that go through the network together on a rank.", valueName: "n"))
  var batch = 32

  @Option(parsing: .unconditional, help: ArgumentHelp("Threads per rank.", valueName: "n"))
  var threads = 1

  func validate() throws {
    try require("--batch", batch, in: OptionRange.batch)
    try require("--threads", threads, in: OptionRange.threads)
  }

  var files: [NamedFile] { RunFolder.files(at: checkpoint, option: "--checkpoint") }

  var request: ModelRequest {
    var request = ModelRequest(checkpoint: checkpoint)
    request.weights = weights
    request.batch = batch
    request.threads = threads
    return request
  }
}

/// Which images of the model's data set.
struct DataOptions: ParsableArguments {
  @Option(help: "Which images of the model's data set (default: test).")
  var split: DatasetSplit?

  @Option(help: ArgumentHelp("Where the data set is (default: where it was in training).", valueName: "folder"))
  var dataPath: String?

  func choice(count: Int) -> LatentJob.DataChoice {
    var choice = LatentJob.DataChoice(count: count)
    if let split { choice.split = split }
    choice.path = dataPath
    return choice
  }
}

extension ModelRequest.Weights: ExpressibleByArgument {}
