import ArgumentParser
import Foundation
import Inception
import ReferenceKernels
import Tensors

struct InceptionSpeedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inception-speed", abstract: "Images a second through Inception with random weights.")

  @Option(help: "Images that are given to the network together.") var batch = 50
  @Option(help: "Height and width of the images.") var side = 32
  @Option var threads = 1
  @Option(help: "Batches to time.") var steps = 3
  @Option(help: "Batches before those.") var warmUp = 1

  private struct Result: Encodable {
    let threads: Int
    let batch: Int
    let secondsPerStep: [Double]
    let imagesPerSecondMedian: Double
  }

  func run() throws {
    let network = try InceptionNetwork { name, shape in
      let count = shape.reduce(1, *)
      guard shape.count > 1 else {
        return [Float](repeating: name.hasSuffix("weight") || name.hasSuffix("var") ? 1 : 0, count: count)
      }
      let fanIn = shape.dropFirst().reduce(1, *)
      return RandomStream(seed: 1, purpose: .initialisation).normalNumbers(count).map {
        $0 * (2 / Float(fanIn)).squareRoot()
      }
    }
    let images = Tensor(uninitialised: [batch, side, side, 3])
    RandomStream(seed: 2, purpose: .latents).fillNormal(images)
    let workers = WorkerPool(threadCount: threads)
    var seconds: [Double] = []
    for step in 0..<warmUp + steps {
      let start = ContinuousClock.now
      _ = network.features(of: images, workers: workers)
      if step >= warmUp { seconds.append((ContinuousClock.now - start) / .seconds(1)) }
    }
    seconds.sort()
    let result = Result(
      threads: threads, batch: batch, secondsPerStep: seconds,
      imagesPerSecondMedian: Double(batch) / seconds[seconds.count / 2])
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    print(String(decoding: try encoder.encode(result), as: UTF8.self))
  }
}
