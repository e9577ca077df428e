import Checkpoints
import Configuration
import DataParallel
import Datasets
import Failures
import Files
import Glibc
import MessagePassing
import Network
import Ranks
import Reporting
import Tensors
import Training

/// Creates a checkpoint from a folder written by diffusers.
package struct ImportJob: Sendable {
  package var folder: String
  package var sources: ConfigurationSources
  /// See `ModelImport`.
  package var classCount: Int?
  /// The run's folder to create, or a checkpoint whose name ends in `.h5`.
  package var output: String

  package init(folder: String, sources: ConfigurationSources, output: String) {
    self.folder = folder
    self.sources = sources
    self.output = output
  }

  /// Runs in this process alone.
  package func run(communicator: Communicator) throws {
    try requireOneProcess("import", communicator)
    let reporter = RunReporter(isSpeaking: true)
    defer { reporter.finish() }
    try communicator.together {
      let isFile = output.hasSuffix(".h5")
      if isFile, access(output, F_OK) == 0 { throw InputError("\(output) exists; choose another --output") }
      let model = try ModelImport(from: folder, sources: sources, classCount: classCount)
      if isFile {
        try save(model, to: OutputFile(output).target, communicator)
      } else {
        let claim = RunFolderClaim(RunFolder(output))
        try claim.take(mustBeFresh: true, note: reporter.message)
        // The weights come first: a run that is configured but has none would start from random ones.
        try save(model, to: claim.folder.checkpointPath(step: 0), communicator)
        try claim.begin(model.configuration)
      }
      tell(model, isFile: isFile, reporter)
    }
  }

  /// Writes the files of a run before its first step, with the imported weights.
  private func save(_ model: ModelImport, to path: String, _ communicator: Communicator) throws {
    let task = try DenoisingTask(configuration: model.configuration, network: model.network)
    let trainer = try DataParallelTrainer(
      configuration: model.configuration, task: task, communicator: communicator,
      workers: WorkerPool(threadCount: 1))
    try trainer.begin(with: model.parameters)
    let header = CheckpointHeader(
      step: 0, images: 0, imageShape: model.imageShape, configuration: model.configuration.yaml)
    try Checkpoint.save(to: path, header: header, groups: trainer.state.groups, communicator: communicator)
    try trainer.settle()
  }

  private func processText(_ settings: RunConfiguration.DiffusionSettings) -> String {
    guard settings.process.isDiscrete else { return settings.process.rawValue }
    return "\(settings.process.rawValue) of \(settings.steps) steps, \(settings.schedule.rawValue), prediction "
      + "\(settings.prediction.rawValue), variance \(settings.variance.rawValue)"
  }

  private func tell(_ model: ModelImport, isFile: Bool, _ reporter: RunReporter) {
    let shape = model.imageShape.map(String.init).joined(separator: "x")
    let settings = model.configuration.diffusion
    reporter.message(
      """
      Imported \(folder): \(ProgressFormat.count(model.network.layout.parameterCount)) parameters, images of \(shape), \
      process \(processText(settings)).
      """)
    if !model.specifiesProcess {
      reporter.log.warning(
        """
        the folder has no scheduler: the process is that of the configuration; if the model was trained for another one, \
        set it with --set diffusion.…
        """)
    }
    if model.addedNoClass {
      reporter.log.warning(
        """
        a row of zeros for no class was added to the network, which was not trained for it: guidance needs training with \
        training.label_dropout first
        """)
    }
    let data = model.configuration.data.name
    if let known = DatasetCatalog.imageShape(name: data), known != model.imageShape, !isFile {
      reporter.log.warning(
        """
        data.name is \(data), whose images are \(known.map(String.init).joined(separator: "x")): to continue training, import \
        it with another --set data.name
        """)
    }
    reporter.message(
      "To sample:   ddpm-mpi sample --checkpoint \(output) --count 16 --output images.h5"
        + (isFile ? "" : "\nTo train it: ddpm-mpi train --resume --output \(output)"))
  }
}
