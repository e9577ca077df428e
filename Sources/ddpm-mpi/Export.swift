import ArgumentParser
import Configuration
import Diffusers
import Files
import Inference
import MessagePassing

struct Export: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Export a checkpoint's model for other programs.",
    usage: """
      ddpm-mpi export --checkpoint <folder-or-file> [--format diffusers]
                      [--weights ema|model|<decay>] [--force] <folder>
      ddpm-mpi export --checkpoint <folder-or-file> --format features
                      --name <name> [--weights ema|model|<decay>]
                      [--force] <file>
      """,
    discussion: """
      Writes a folder that diffusers reads: model_index.json, the network and its weights in unet/, the process in \
      scheduler/. `DDPMPipeline.from_pretrained("<folder>")` loads it, and so does `ddpm-mpi import`.

      Models that diffusers does not support are refused; docs/interchange.md lists them.

      EXAMPLES
        ddpm-mpi export --checkpoint runs/cifar10 --format diffusers exported
        ddpm-mpi export --checkpoint step-00800000.h5 --weights model --force exported
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case diffusers
    case features
  }

  @Option(help: ArgumentHelp("A checkpoint file, or a run folder.", valueName: "folder-or-file"))
  var checkpoint: String

  @Option(help: "Output format.")
  var format = Format.diffusers

  @Option(
    help: ArgumentHelp(
      "Weights to write: ema (the first moving average), model (those of the last step), or the decay of an average.",
      valueName: "weights"))
  var weights = ModelRequest.Weights.ema

  @Flag(help: "Replace an existing pipeline in the folder, or an existing file.")
  var force = false

  @Option(help: ArgumentHelp("Name that labels metrics on these features.", valueName: "name"))
  var name: String?

  @Argument(help: ArgumentHelp("The folder or file to write.", valueName: "folder-or-file"))
  var output: String

  func validate() throws {
    if format == .features && name == nil { throw ValidationError("--format features needs a --name.") }
    if format != .features && name != nil { throw ValidationError("--name is for --format features.") }
  }

  var files: CommandFiles {
    let inputs = RunFolder.files(at: checkpoint, option: "--checkpoint")
    return switch format {
    case .diffusers: CommandFiles(inputs: inputs, outputFolders: [NamedFile("<folder>", output)])
    case .features: CommandFiles(inputs: inputs, outputs: [NamedFile("<file>", output)])
    }
  }

  mutating func run(on communicator: Communicator) throws {
    switch format {
    case .diffusers:
      var job = ExportJob(checkpoint: checkpoint, output: output)
      job.weights = weights
      job.replaces = force
      try job.run(communicator: communicator)
    case .features:
      var job = FeatureExportJob(checkpoint: checkpoint, name: name ?? "", output: output)
      job.weights = weights
      job.replaces = force
      try job.run(communicator: communicator)
    }
  }
}
