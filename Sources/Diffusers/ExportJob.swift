import Files
import Inference
import MessagePassing
import Ranks
import Reporting

/// Writes a checkpoint's model as a folder that diffusers can read.
package struct ExportJob: Sendable {
  /// A checkpoint, a run's folder or its folder of checkpoints.
  package var checkpoint: String
  package var weights = ModelRequest.Weights.ema
  /// The folder to write.
  package var output: String
  /// Whether to replace an existing pipeline.
  package var replaces = false

  package init(checkpoint: String, output: String) {
    self.checkpoint = checkpoint
    self.output = output
  }

  /// Runs in this process alone.
  package func run(communicator: Communicator) throws {
    try requireOneProcess("export", communicator)
    let reporter = RunReporter(isSpeaking: true)
    defer { reporter.finish() }
    try communicator.together {
      let folder = try OutputFolder(
        output, replacing: .init(of: "a pipeline", knownBy: PipelineExport.Path.network, isWanted: replaces))
      let (model, _, problems) = try CheckpointLookup.newest(at: checkpoint, option: "--checkpoint") {
        try TrainedModel(reading: $0, weights: weights)
      }
      for problem in problems { reporter.log.warning("\(problem); trying the previous one") }
      let export = try PipelineExport(model.configuration, network: model.network.configuration)
      try folder.write(
        try export.files(
          parameters: model.parameters, step: model.origin.trainingSteps, images: model.origin.trainingImages))
      reporter.message(
        "Wrote \(folder.path): the \(weights == .model ? "" : "averaged ")weights of \(model.origin.checkpoint), "
          + "\(ProgressFormat.count(model.network.layout.parameterCount)) parameters.")
      if !export.hasPipeline {
        reporter.message("No diffusers pipeline supports its process; docs/interchange.md has a loop that does.")
      }
      if let classes = model.configuration.model.classes {
        reporter.message(
          "Its network has classes: class_labels 0 to \(classes - 1), and \(classes) for none, which DDPMPipeline does not "
            + "support; docs/interchange.md has a loop that does.")
      }
    }
  }
}
