import ArgumentParser
import Evaluation

struct InceptionScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inception-score", abstract: "The Inception score of logits [N, K].")

  @Argument(help: "A safetensors file with the tensor features.") var logits: String
  @Option var splits = 10

  func run() throws {
    let logits = try features(in: self.logits)
    try printJSON(try Answer { try InceptionScore(logits: logits, splitCount: splits) })
  }
}
