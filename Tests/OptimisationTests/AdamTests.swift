import Optimisation
import Tensors
import Testing

private let block = ParameterLayout.blockSize

@Suite struct AdamTests {
  @Test func followsTheSequenceComputedByHand() {
    let adam = Adam(count: block)
    let workers = WorkerPool(threadCount: 1)
    let parameters = Tensor(repeating: 1, shape: [block])
    // m = 0.05, v = 0.00025, both corrected: 0.5 and 0.25; θ = 1 − 0.1 · 0.5 / 0.5.
    adam.update(
      parameters: parameters, gradients: Tensor(repeating: 0.5, shape: [block]), gradientScale: 1,
      learningRate: 0.1, step: 1, workers: workers)
    // A few roundings of a number near 1.
    #expect(parameters.elements.allSatisfy { abs($0 - 0.9) < 3e-7 })
    // m = −0.055, v = 0.00124975, corrected by 0.19 and 0.001999: −0.2894737 and 0.6251876.
    adam.update(
      parameters: parameters, gradients: Tensor(repeating: -4, shape: [block]), gradientScale: 0.25,
      learningRate: 0.1, step: 2, workers: workers)
    #expect(parameters.elements.allSatisfy { abs($0 - 0.9366105) < 3e-7 })
    #expect(adam.firstMoment[7] == adam.firstMoment[block - 1])
    #expect(abs(adam.firstMoment[7] + 0.055) < 1e-8)
    #expect(abs(adam.secondMoment[7] - 0.00124975) < 1e-9)
  }

  @Test func agreesWithTheReferenceInDoublePrecisionOverAHundredSteps() {
    let settings = Adam.Settings(firstMomentDecay: 0.8, secondMomentDecay: 0.99, epsilon: 1e-6)
    let adam = Adam(count: block, settings: settings)
    let workers = WorkerPool(threadCount: 2)
    let parameters = gaussian(block, sample: 0)
    var reference = ReferenceAdam(parameters: parameters.elements.map(Double.init), settings: settings)
    for step in 1...100 {
      let gradients = gaussian(block, sample: step)
      let rate = 0.01 / Double(step)
      adam.update(
        parameters: parameters, gradients: gradients, gradientScale: 0.5, learningRate: rate,
        step: step, workers: workers)
      reference.update(gradients: gradients.elements.map { 0.5 * Double($0) }, learningRate: rate, step: step)
    }
    let largest = zip(parameters.elements, reference.parameters).map { abs(Double($0) - $1) }.max()!
    // A hundred roundings of numbers up to 4, each at most 2⁻²³: in the worst case 1.2e-5.
    #expect(largest < 1.2e-5)
  }

  @Test func neitherThreadsNorShardsChangeTheBits() {
    let count = 20 * block
    let whole = gaussian(count, sample: 1)
    let parts = whole.copied()
    let adam = Adam(count: count)
    let shards = [0..<7 * block, 7 * block..<count].map { ($0, Adam(count: $0.count)) }
    let one = WorkerPool(threadCount: 1)
    let three = WorkerPool(threadCount: 3)
    for step in 1...3 {
      let gradients = gaussian(count, sample: 1 + step)
      adam.update(
        parameters: whole, gradients: gradients, gradientScale: 0.3, learningRate: 0.01, step: step,
        workers: one)
      for (range, shard) in shards {
        shard.update(
          parameters: parts[range], gradients: gradients[range],
          gradientScale: 0.3, learningRate: 0.01, step: step, workers: three)
      }
    }
    #expect(whole.elements == parts.elements)
  }

  @Test func paddingStaysZero() {
    let adam = Adam(count: block)
    let parameters = Tensor(shape: [block])
    let gradients = Tensor(shape: [block])
    for step in 1...3 {
      adam.update(
        parameters: parameters, gradients: gradients, gradientScale: 1, learningRate: 0.1, step: step,
        workers: WorkerPool(threadCount: 1))
    }
    #expect(parameters.elements.allSatisfy { $0 == 0 })
  }
}

/// Algorithm 1 of the paper, in double precision and in its own notation.
private struct ReferenceAdam {
  var parameters: [Double]
  let settings: Adam.Settings
  var first: [Double]
  var second: [Double]

  init(parameters: [Double], settings: Adam.Settings) {
    self.parameters = parameters
    self.settings = settings
    first = parameters.map { _ in 0 }
    second = first
  }

  mutating func update(gradients: [Double], learningRate: Double, step: Int) {
    let (beta1, beta2) = (settings.firstMomentDecay, settings.secondMomentDecay)
    let powers = (0..<step).reduce((1.0, 1.0)) { powers, _ in (powers.0 * beta1, powers.1 * beta2) }
    for index in parameters.indices {
      first[index] = beta1 * first[index] + (1 - beta1) * gradients[index]
      second[index] = beta2 * second[index] + (1 - beta2) * gradients[index] * gradients[index]
      let correctedFirst = first[index] / (1 - powers.0)
      let correctedSecond = second[index] / (1 - powers.1)
      parameters[index] -= learningRate * correctedFirst / (correctedSecond.squareRoot() + settings.epsilon)
    }
  }
}

/// Standard normal numbers.
func gaussian(_ count: Int, sample: Int) -> Tensor {
  let tensor = Tensor(uninitialised: [count])
  RandomStream(seed: 77, purpose: .noise, sample: sample).fillNormal(tensor)
  return tensor
}
