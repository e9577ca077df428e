import ArgumentParser
import Evaluation
import Tensors

struct KernelDistanceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernel-distance", abstract: "The kernel distance of two sets of features, and the images drawn.")

  @Argument(help: "A safetensors file with the tensor features.") var first: String
  @Argument(help: "Another one.") var second: String
  @Option var subsetSize = 1000
  @Option var subsetCount = 100
  @Option var seed: UInt64 = 0
  @Option var threads = 1

  private struct Distance: Encodable {
    let distance: KernelDistance
    /// [subset][side][image].
    let places: [[[Int]]]
  }

  func run() throws {
    let (first, second) = (try features(in: self.first), try features(in: self.second))
    let workers = WorkerPool(threadCount: threads)
    try printJSON(
      try Answer {
        let distance = try KernelDistance(
          first, second, subsetSize: subsetSize, subsetCount: subsetCount, seed: seed, workers: workers)
        let places = (0..<subsetCount).map { subset in
          [first, second].enumerated().map { side, features in
            KernelDistance.indices(subset, side: side, size: subsetSize, of: features.count, seed: seed)
          }
        }
        return Distance(distance: distance, places: places)
      })
  }
}
