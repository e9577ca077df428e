import ArgumentParser
import Evaluation
import Tensors

struct PrecisionRecallCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "precision-recall", abstract: "Precision and recall of generated features beside real ones.")

  @Argument(help: "A safetensors file with the tensor features.") var generated: String
  @Argument(help: "Another one.") var real: String
  @Option var neighbours = 3
  @Option var threads = 1

  func run() throws {
    let (generated, real) = (try features(in: self.generated), try features(in: self.real))
    let workers = WorkerPool(threadCount: threads)
    try printJSON(
      try Answer {
        try PrecisionRecall(generated: generated, real: real, neighbourCount: neighbours, workers: workers)
      })
  }
}
