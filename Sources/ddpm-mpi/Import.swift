import ArgumentParser
import Configuration
import Diffusers
import Files
import MessagePassing

struct Import: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a checkpoint of a model that diffusers has stored.",
    usage: """
      ddpm-mpi import <folder> --output <run-or-file.h5> [--classes <n>]
                      [--preset <name> | --config <file>]
                      [--set <key=value> ...]
      """,
    discussion: """
      Reads what `save_pretrained` has written for a pipeline of a UNet2DModel and its scheduler, or for the UNet2DModel \
      alone, and what `ddpm-mpi export` has. Network and process come from there; the configuration's other keys, such \
      as data.name and those of training, from preset, file and --set.

      `ddpm-mpi sample` draws from the result. If it is a run's folder, `ddpm-mpi train --resume --output <run>` trains \
      the model on, from step 0 with a new optimiser.

      EXAMPLES
        ddpm-mpi import ddpm-cifar10-32 --preset cifar10 --output runs/google
        ddpm-mpi import made-in-python --classes 10 --output model.h5
      """)

  @Argument(help: ArgumentHelp("The folder to read.", valueName: "folder"))
  var folder: String

  @Option(help: ArgumentHelp("The run's folder to make, or a checkpoint.", valueName: "run-or-file.h5"))
  var output: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      How many of the network's num_class_embeds are classes: all, or all but the last, which then is for no class.
      """, valueName: "n"))
  var classes: Int?

  @Option(help: ArgumentHelp("Start from a preset: \(presetNames).", valueName: "name"))
  var preset: String?

  @Option(help: ArgumentHelp("Read configuration keys from a YAML file.", valueName: "file"))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Set one configuration key; may be repeated.", valueName: "key=value"))
  var settings: [String] = []

  func validate() throws {
    if preset != nil && config != nil {
      throw ValidationError("--preset and --config exclude each other; a file may say `preset: NAME`.")
    }
  }

  var files: CommandFiles {
    CommandFiles(
      inputs: [NamedFile("<folder>", folder)] + NamedFile.list(("--config", config)),
      outputs: output.hasSuffix(".h5") ? [NamedFile("--output", output)] : [])
  }

  mutating func run(on communicator: Communicator) throws {
    var job = ImportJob(
      folder: folder, sources: ConfigurationSources(preset: preset, file: config, settings: settings), output: output)
    job.classCount = classes
    try job.run(communicator: communicator)
  }
}
