import Diffusion
import RealModule
import Tensors
import Testing

@Suite struct CrossEntropyTests {
  private let logits = Tensor([1, -2, 0.5, 80, 3, -90], shape: [2, 3])

  @Test func probabilitiesAddUpToOne() {
    for logarithms in CrossEntropy.logProbabilities(logits) {
      #expect(abs(logarithms.reduce(0) { $0 + Double.exp($1) } - 1) < 1e-12)
    }
    let difference = CrossEntropy.logProbabilities(logits)[0]
    #expect(abs(difference[0] - difference[2] - 0.5) < 1e-12)
  }

  @Test func theGradientAgreesWithFiniteDifferences() {
    func part(_ logits: Tensor) -> PartialLoss {
      CrossEntropy.lossAndGradient(logits: logits, classes: [2, 0], weights: [0.25, 3], imagesInGlobalBatch: 8)
    }
    let whole = part(logits)
    #expect(abs(whole.loss - (0.25 * whole.imageLosses[0] + 3 * whole.imageLosses[1]) / 8) < 1e-15)
    for index in 0..<6 {
      let losses = [Float(0x1p-8), -0x1p-8].map { width in
        let moved = logits.copied()
        moved[index] += width
        return (part(moved).loss, Double(moved.elements[index]))
      }
      let difference = (losses[0].0 - losses[1].0) / (losses[0].1 - losses[1].1)
      // A third derivative of at most 1/8 of 0.1.
      #expect(abs(Double(whole.gradient.elements[index]) - difference) < 1e-6)
    }
  }
}
