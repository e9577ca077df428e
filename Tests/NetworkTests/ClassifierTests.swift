import Differentiation
import Network
import Tensors
import Testing

@Suite struct ClassifierTests {
  private static let network = ClassifierNetwork(
    UNetConfiguration(
      imageChannels: 1, imageHeight: 8, imageWidth: 8, channels: 32, multipliers: [1, 2], blocksPerLevel: 1,
      attentionResolutions: [4]),
    classCount: 5)

  private static func parameters() -> Arena {
    let arena = Arena(network.layout)
    network.initialise(arena, seed: 3, workers: WorkerPool(threadCount: 1))
    // Blocks start as the identity; larger numbers make their gradients visible.
    for entry in network.layout.entries where entry.shape.count > 1 {
      let values = arena.tensor(entry)
      let fanIn = entry.shape.dropLast().reduce(1, *)
      RandomStream(seed: 4, purpose: .initialisation, detail: entry.offset / 16).fillNormal(values)
      for index in 0..<entry.count { values[index] /= Float(fanIn).squareRoot() }
    }
    return arena
  }

  private static let images: Tensor = {
    let tensor = Tensor(uninitialised: [3, 8, 8, 1])
    RandomStream(seed: 1, purpose: .latents).fillNormal(tensor)
    return tensor
  }()

  @Test func theGradientIsThatOfTheLogProbability() {
    let classifier = TrainedClassifier(
      network: Self.network, parameters: Self.parameters(), workers: WorkerPool(threadCount: 2))
    let (times, classes): ([Float], [Int]) = ([3, 500, 900], [4, 0, 2])
    let gradient = classifier.logProbabilityGradient(Self.images, times: times, classes: classes)
    let direction = Tensor(uninitialised: Self.images.shape)
    RandomStream(seed: 2, purpose: .latents).fillNormal(direction)
    func values(_ width: Float) -> [Double] {
      let moved = Tensor(
        zip(Self.images.elements, direction.elements).map { $0 + width * $1 }, shape: Self.images.shape)
      return zip(classifier.logProbabilities(moved, times: times), classes).map { $0[$1] }
    }
    func slopes(_ width: Float) -> [Double] {
      zip(values(width), values(-width)).map { ($0 - $1) / (2 * Double(width)) }
    }
    let (wide, narrow) = (slopes(0x1p-5), slopes(0x1p-6))
    for image in 0..<3 {
      let range = image * 64..<(image + 1) * 64
      let product = range.reduce(0.0) { $0 + Double(gradient.elements[$1]) * Double(direction.elements[$1]) }
      let scale = range.reduce(0.0) { $0 + abs(Double(gradient.elements[$1]) * Double(direction.elements[$1])) }
      // Two widths cancel the second-order error; the logits' single precision is amplified by the width.
      let difference = (4 * narrow[image] - wide[image]) / 3
      #expect(abs(product - difference) < 2e-3 * scale, "\(product), not \(difference)")
    }
  }

  @Test func anImageDoesNotDependOnItsBatchOrTheThreads() {
    let parameters = Self.parameters()
    func run(_ x: Tensor, _ times: [Float], threads: Int) -> [[Double]] {
      TrainedClassifier(network: Self.network, parameters: parameters, workers: WorkerPool(threadCount: threads))
        .logProbabilities(x, times: times)
    }
    let together = run(Self.images, [3, 500, 900], threads: 1)
    for image in 0..<3 {
      let alone = Tensor(Array(Self.images.elements[image * 64..<(image + 1) * 64]), shape: [1, 8, 8, 1])
      #expect(run(alone, [[3, 500, 900][image]], threads: 3) == [together[image]])
    }
  }

  /// The encoder's names are those of the U-Net, so parameters can be matched by name.
  @Test func encoderHasTheParameterNamesOfTheUNet() {
    let names = Set(UNet(Self.network.configuration).layout.entries.map(\.name))
    let own = Self.network.layout.entries.map(\.name)
    let others = own.filter { !names.contains($0) }
    #expect(
      others == ["classifier_norm.weight", "classifier_norm.bias", "classifier_head.weight", "classifier_head.bias"])
    #expect(own.contains("mid_block.resnets.1.conv2.weight"))
  }
}
