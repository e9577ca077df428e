import Differentiation
import Kernels
import Network
import Tensors
import Testing

/// Dropout inside the network.
@Suite struct DropoutTests {
  static let images = 5
  static let firstSample = 10
  static let workers = WorkerPool(threadCount: 2)

  let network = UNet(
    UNetConfiguration(
      imageChannels: 1, imageHeight: 8, imageWidth: 8, channels: 32, multipliers: [1, 2], blocksPerLevel: 1,
      attentionResolutions: [4], dropout: 0.5))
  let parameters: Arena
  let x: Tensor
  let timesteps: [Float] = [3, 999, 20, 500, 3]

  init() {
    // Blocks start as the identity; with these weights, dropped elements affect the output.
    parameters = network.randomParameters(seed: 5)
    x = Tensor(uninitialised: [Self.images, 8, 8, 1])
    RandomStream(seed: 7, purpose: .noise).fillNormal(x)
  }

  /// Runs the training pass over some of the images as one micro-batch.
  private func run(
    _ range: Range<Int>, step: Int = 4, firstSample: Int = firstSample, probability: Float = 0.5,
    gradients: Arena? = nil
  ) -> [Float] {
    let tape = Tape(recordingWith: parameters, gradients: gradients, workers: Self.workers)
    let elements = Array(x.elements[range.lowerBound * 64..<range.upperBound * 64])
    let input = tape.input(Tensor(elements, shape: [range.count, 8, 8, 1]))
    let dropout = Dropout(
      probability: probability, seed: 8, step: step, firstSample: firstSample + range.lowerBound)
    let output = network(input, timesteps: Array(timesteps[range]), dropout: dropout, on: tape)
    if gradients != nil {
      tape.unwind(from: output, seed: Tensor(repeating: 1, shape: output.value.shape))
    }
    return output.value.elements
  }

  @Test(arguments: [[1, 1, 1, 1, 1], [2, 3], [3, 2], [1, 4], [4, 1], [2, 2, 1]])
  func masksDoNotDependOnTheMicroBatches(sizes: [Int]) {
    let together = run(0..<Self.images)
    var start = 0
    var pieces: [Float] = []
    for size in sizes {
      pieces += run(start..<start + size)
      start += size
    }
    #expect(pieces.map(\.bitPattern) == together.map(\.bitPattern))
  }

  @Test func masksDependOnTheStepAndTheSample() {
    let expected = run(0..<1)
    #expect(run(0..<1) == expected)
    #expect(run(0..<1, step: 5) != expected)
    #expect(run(0..<1, firstSample: Self.firstSample + 1) != expected)
    #expect(run(0..<1, probability: 0) != expected)
  }

  /// Sums over pixels and images in another order, in single precision.
  static let tolerance = 1e-4

  @Test func gradientsOfMicroBatchesAddUpToThoseOfTheBatch() {
    let (whole, pieces) = (Arena(network.layout), Arena(network.layout))
    _ = run(0..<Self.images, gradients: whole)
    for range in [0..<2, 2..<5] { _ = run(range, gradients: pieces) }
    var (difference, size) = (0.0, 0.0)
    for index in 0..<whole.count {
      let (a, b) = (Double(pieces[index]), Double(whole[index]))
      difference += (a - b) * (a - b)
      size += b * b
    }
    #expect(size > 0)
    let error = (difference / size).squareRoot()
    #expect(error < Self.tolerance)
  }
}
