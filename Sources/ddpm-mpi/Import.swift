import ArgumentParser
import Diffusers
import Files
import MessagePassing

struct Import: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Import a model saved by diffusers.",
    usage: """
      ddpm-mpi import <folder> --output <run-or-file.h5> [--classes <n>]
                      [--preset <name> | --config <file>]
                      [--set <key=value> ...]
      """,
    discussion: """
      Reads the output of `save_pretrained` for a pipeline of a UNet2DModel and its scheduler, or for the UNet2DModel \
      alone, and the output of `ddpm-mpi export`. Network and process come from the folder; all other keys, such as \
      data.name and those of training, come from preset, file and --set.

      `ddpm-mpi sample` samples from the result. If it is a run folder, `ddpm-mpi train --resume --output <run>` \
      continues training from step 0 with a new optimiser.

      EXAMPLES
        ddpm-mpi import ddpm-cifar10-32 --preset cifar10 --output runs/google
        ddpm-mpi import made-in-python --classes 10 --output model.h5
      """)

  @Argument(help: ArgumentHelp("The folder to read.", valueName: "folder"))
  var folder: String

  @Option(help: ArgumentHelp("The run folder or checkpoint to write.", valueName: "run-or-file.h5"))
  var output: String

  @Option(
    number: """
      How many of the network's num_class_embeds are classes: all, or all but the last, which then stands for no class.
      """)
  var classes: Int?

  @OptionGroup var source: SourceOptions

  var files: CommandFiles {
    CommandFiles(
      inputs: [NamedFile("<folder>", folder)] + NamedFile.list(("--config", source.config)),
      outputs: output.hasSuffix(".h5") ? [NamedFile("--output", output)] : [])
  }

  mutating func run(on communicator: Communicator) throws {
    var job = ImportJob(folder: folder, sources: source.request, output: output)
    job.classCount = classes
    try job.run(communicator: communicator)
  }
}
