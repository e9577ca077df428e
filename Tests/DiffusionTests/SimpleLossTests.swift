import Diffusion
import Tensors
import Testing

@Suite struct SimpleLossTests {
  @Test func lossIsTheMeanSquaredErrorOfTheGlobalBatch() {
    let prediction = Tensor([1, 2, 3, 4], shape: [2, 1, 2, 1])
    let noise = Tensor([0, 2, 1, 7], shape: [2, 1, 2, 1])
    let part = SimpleLoss.lossAndGradient(prediction: prediction, noise: noise, elementsInGlobalBatch: 8)
    #expect(part.loss == 1.75)
    #expect(part.gradient.elements == [0.25, 0, 0.5, -0.75])
  }

  @Test func partsOfMicroBatchesAddUpToTheWhole() {
    let prediction = Latents.draw(shape: [4, 2, 2, 3], seed: 1, firstImage: 0)
    let noise = Latents.draw(shape: [4, 2, 2, 3], seed: 2, firstImage: 0)
    let whole = SimpleLoss.lossAndGradient(prediction: prediction, noise: noise, elementsInGlobalBatch: 48)
    var sum = 0.0
    var gradients: [Float] = []
    for first in [0, 2] {
      let part = SimpleLoss.lossAndGradient(
        prediction: Latents.draw(shape: [2, 2, 2, 3], seed: 1, firstImage: first),
        noise: Latents.draw(shape: [2, 2, 2, 3], seed: 2, firstImage: first), elementsInGlobalBatch: 48)
      sum += part.loss
      gradients += part.gradient.elements
    }
    #expect(abs(sum - whole.loss) < 1e-15)
    #expect(gradients == whole.gradient.elements)
  }

  @Test func gradientAgreesWithFiniteDifferences() {
    let prediction = Latents.draw(shape: [2, 3, 3, 1], seed: 3, firstImage: 0)
    let noise = Latents.draw(shape: [2, 3, 3, 1], seed: 4, firstImage: 0)
    let gradient = SimpleLoss.lossAndGradient(prediction: prediction, noise: noise, elementsInGlobalBatch: 36).gradient
    for index in 0..<prediction.count {
      let value = prediction.elements[index]
      let above = value + 0x1p-8
      let below = value - 0x1p-8
      let losses = [above, below].map { moved in
        let changed = prediction.copied()
        changed.pointer[index] = moved
        return SimpleLoss.lossAndGradient(prediction: changed, noise: noise, elementsInGlobalBatch: 36).loss
      }
      // Central differences of a square are exact; the loss carries double, the gradient float precision.
      let difference = (losses[0] - losses[1]) / (Double(above) - Double(below))
      #expect(abs(Double(gradient.elements[index]) - difference) < 1e-7)
    }
  }

  @Test func notANumberStaysVisible() {
    let prediction = Tensor([.nan, 1], shape: [1, 1, 2, 1])
    let noise = Tensor([0, 0], shape: [1, 1, 2, 1])
    let part = SimpleLoss.lossAndGradient(prediction: prediction, noise: noise, elementsInGlobalBatch: 2)
    #expect(part.loss.isNaN)
    #expect(part.gradient.elements[0].isNaN)
  }
}
