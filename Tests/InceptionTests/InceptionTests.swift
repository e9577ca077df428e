import Inception
import Tensors
import Testing

/// The comparison with pytorch-fid's own module is in scripts/test/peers/inception.sh; these tests need no other
/// program.
@Suite struct InceptionTests {
  private struct Refusal: Error, Equatable {
    let name: String
  }

  /// Random kernels that keep values of order one.
  private static func weights(_ name: String, _ shape: [Int]) -> [Float] {
    if shape.count == 1 {
      return [Float](repeating: name.hasSuffix("bias") || name.hasSuffix("mean") ? 0 : 1, count: shape[0])
    }
    let tensor = Tensor(uninitialised: shape)
    let seed = name.utf8.reduce(UInt64(7)) { ($0 << 5) ^ ($0 >> 59) ^ UInt64($1) }
    RandomStream(seed: seed, purpose: .initialisation).fillNormal(tensor)
    let standardDeviation = (2 / Float(shape.dropFirst().reduce(1, *))).squareRoot()
    return tensor.elements.map { $0 * standardDeviation }
  }

  private static let network = Result { try InceptionNetwork(weights: weights) }

  private static func images(_ shape: [Int]) -> Tensor {
    let tensor = Tensor(uninitialised: shape)
    RandomStream(seed: 1, purpose: .latents).fillNormal(tensor)
    return Tensor(tensor.elements.map { min(max($0 / 4 + 0.5, 0), 1) }, shape: shape)
  }

  private static func sameBits(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern }
  }

  @Test func featuresDependOnlyOnTheImage() throws {
    let network = try Self.network.get()
    let images = Self.images([5, 12, 10, 3])
    let count = InceptionNetwork.featureCount
    let all = network.features(of: images, workers: WorkerPool(threadCount: 2)).elements
    #expect(all.allSatisfy { $0.isFinite && $0 >= 0 } && all.contains { $0 > 0 })
    for image in [0, 3] {
      let size = images.count / 5
      let one = Tensor(Array(images.elements[image * size..<(image + 1) * size]), shape: [1, 12, 10, 3])
      // Three threads share the only image, or one thread processes it alone.
      for threads in [1, 3] {
        let alone = network.features(of: one, workers: WorkerPool(threadCount: threads)).elements
        #expect(Self.sameBits(alone[...], all[image * count..<(image + 1) * count]))
      }
    }
    #expect(!Self.sameBits(all[..<count], all[3 * count..<4 * count]))
  }

  @Test func greyImagesEqualColourImagesWithEqualChannels() throws {
    let network = try Self.network.get()
    let grey = Self.images([1, 9, 9, 1])
    let coloured = Tensor(grey.elements.flatMap { [$0, $0, $0] }, shape: [1, 9, 9, 3])
    let workers = WorkerPool(threadCount: 2)
    let results = [grey, coloured].map { network.features(of: $0, workers: workers).elements[...] }
    #expect(Self.sameBits(results[0], results[1]))
  }

  @Test func logitsAreALinearMapOfFeatures() throws {
    let network = try InceptionNetwork { name, shape in
      name == "fc.bias" ? (0..<shape[0]).map { Float($0) } : Self.weights(name, shape)
    }
    let features = Self.images([3, InceptionNetwork.featureCount])
    let workers = WorkerPool(threadCount: 2)
    let (biased, plain) = (
      network.logits(of: features, workers: workers).elements,
      network.logits(of: features, hasBias: false, workers: workers).elements
    )
    let matrix = Self.weights("fc.weight", [InceptionNetwork.logitCount, InceptionNetwork.featureCount])
    for (image, logit) in [(0, 0), (1, 500), (2, 1007)] {
      let expected = (0..<InceptionNetwork.featureCount).reduce(0.0) {
        $0 + Double(features.pointer[image * InceptionNetwork.featureCount + $1])
          * Double(matrix[logit * InceptionNetwork.featureCount + $1])
      }
      let index = image * InceptionNetwork.logitCount + logit
      // 2048 products of up to 0.1, and biases of up to 1007.
      #expect(abs(Double(plain[index]) - expected) < 1e-4)
      #expect(abs(Double(biased[index]) - expected - Double(logit)) < 1e-3)
    }
  }

  @Test func errorsInReadingWeightsReachTheCaller() {
    #expect(throws: Refusal(name: "Mixed_7c.branch_pool.bn.running_var")) {
      _ = try InceptionNetwork { name, shape in
        if name == "Mixed_7c.branch_pool.bn.running_var" { throw Refusal(name: name) }
        return Self.weights(name, shape)
      }
    }
  }

  @Test func batchNormalisationIsFoldedIntoTheFirstLayer() throws {
    // A single layer cannot be observed through the others; instead, scaling a channel's kernel together with its
    // statistics must not change the features.
    let plain = try Self.network.get()
    let scaled = try InceptionNetwork { name, shape in
      let values = Self.weights(name, shape)
      if name == "Conv2d_1a_3x3.conv.weight" { return values.map { 4 * $0 } }
      if name == "Conv2d_1a_3x3.bn.running_var" { return values.map { 16 * ($0 + 0.001) - 0.001 } }
      if name == "Conv2d_1a_3x3.bn.running_mean" { return values.map { _ in 2 } }
      if name == "Conv2d_1a_3x3.bn.bias" { return values.map { _ in 2 / Float(16 * 1.001).squareRoot() } }
      return values
    }
    let images = Self.images([1, 20, 20, 3])
    let workers = WorkerPool(threadCount: 2)
    let results = [plain, scaled].map { $0.features(of: images, workers: workers).elements }
    let largest = results[0].max()!
    for (a, b) in zip(results[0], results[1]) { #expect(abs(a - b) < 1e-4 * largest) }
  }
}
