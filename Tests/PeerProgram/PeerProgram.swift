// Computes results to compare with other programs: `peer-program QUESTION FILE...` reads safetensors or npz files and
// prints JSON. scripts/test/peers/*.sh run it beside the libraries that answer the same question.

import ArgumentParser

@main struct PeerProgram: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "peer-program",
    abstract: "Prints, as JSON in full precision, what other programs compute too.",
    // A file each.
    subcommands: [
      StatisticsCommand.self,
      FrechetDistanceCommand.self,
      InceptionScoreCommand.self,
      KernelDistanceCommand.self,
      PrecisionRecallCommand.self,
      FieldMeasuresCommand.self,
      InceptionFeaturesCommand.self,
      InceptionSpeedCommand.self,
      NetworkCommand.self,
      LearningRatesCommand.self,
      FieldFileCommand.self,
    ])
}
