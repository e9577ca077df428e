import ArgumentParser
import FeatureNetworks
import Foundation
import Inception
import Interchange
import Tensors

struct InceptionFeaturesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inception-features", abstract: "Inception's features and logits of images, as safetensors.")

  @Argument(help: "A safetensors file with tensors of images [N, H, W, C] from 0 to 1.") var images: String
  @Argument(help: "The file to write: NAME.features, NAME.logits and NAME.logits_unbiased for each of them.")
  var result: String
  @Option var inceptionWeights: String?
  @Option var threads = 1

  func run() throws {
    let network = try InceptionNetwork(tensorFile(readingFrom: InceptionFile.locate(option: inceptionWeights)))
    let workers = WorkerPool(threadCount: threads)
    let file = try Safetensors(readingFrom: images)
    var tensors: [Safetensors.Tensor] = []
    for entry in file.entries {
      let batch = Tensor(try file.floats(entry.name), shape: entry.shape)
      let features = network.features(of: batch, workers: workers)
      func add(_ name: String, _ tensor: Tensor) {
        tensors.append(Safetensors.Tensor("\(entry.name).\(name)", shape: tensor.shape, tensor.elements))
      }
      add("features", features)
      add("logits", network.logits(of: features, workers: workers))
      add("logits_unbiased", network.logits(of: features, hasBias: false, workers: workers))
    }
    try Safetensors.contents(of: tensors).write(to: URL(fileURLWithPath: result))
  }
}
