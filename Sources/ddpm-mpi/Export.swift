import ArgumentParser
import Diffusers
import Inference
import Jobs
import MessagePassing

struct Export: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a checkpoint's model for other programs.",
    usage: """
      ddpm-mpi export --checkpoint <folder-or-file> [--format diffusers]
                      [--weights ema|model] [--force] <folder>
      """,
    discussion: """
      Writes a folder that diffusers reads: model_index.json, the network and its weights in unet/, the process in \
      scheduler/. `DDPMPipeline.from_pretrained("<folder>")` draws images from it. `ddpm-mpi import` reads it again.

      What diffusers cannot follow is refused: docs/interchange.md lists it.

      EXAMPLES
        ddpm-mpi export --checkpoint runs/cifar10 --format diffusers cifar10-diffusers
        ddpm-mpi export --checkpoint runs/cifar10/checkpoints/step-00800000.h5 --weights model --force cifar10-diffusers
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case diffusers
  }

  @Option(help: ArgumentHelp("A checkpoint file, or a run's folder.", valueName: "folder-or-file"))
  var checkpoint: String

  @Option(help: "For which program.")
  var format = Format.diffusers

  @Option(help: "Weights to write.")
  var weights = ModelRequest.Weights.ema

  @Flag(help: "Replace a pipeline that is in the folder.")
  var force = false

  @Argument(help: ArgumentHelp("The folder to write.", valueName: "folder"))
  var folder: String

  mutating func run(on communicator: Communicator) throws {
    var job = ExportJob(checkpoint: checkpoint, output: folder)
    job.weights = weights
    job.replaces = force
    try job.run(communicator: communicator)
  }
}
