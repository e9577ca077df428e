import ArgumentParser
import Evaluation
import Foundation
import Tensors

struct StatisticsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "statistics", abstract: "Mean and covariance of features [N, D], as NumPy's archive.")

  @Argument(help: "A safetensors file with the tensor features.") var source: String
  @Argument(help: "The file to write.") var result: String
  @Option(help: "A text to store beside them.") var provenance: String?
  @Option var threads = 1

  func run() throws {
    let features = try features(in: source)
    var statistics: FeatureStatistics?
    let answer = try Answer {
      statistics = try FeatureStatistics(features, workers: WorkerPool(threadCount: threads))
      return statistics?.count
    }
    if let statistics {
      let file = StatisticsFile(statistics, provenance: provenance)
      try file.contents(path: result).write(to: URL(fileURLWithPath: result))
    }
    try printJSON(answer)
  }
}
