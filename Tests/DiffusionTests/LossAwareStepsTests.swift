import Diffusion
import Tensors
import Testing

@Suite struct LossAwareStepsTests {
  /// Losses that grow with the step: t + 1.
  private func filled(steps: Int, rounds: Int = LossAwareSteps.historyLength) -> LossAwareSteps {
    var result = LossAwareSteps(steps: steps)
    for _ in 0..<rounds { for step in 0..<steps { result.note(loss: Double(step + 1), ofStep: step) } }
    return result
  }

  @Test func stepsAreUniformUntilEachHasAHistory() {
    let early = filled(steps: 4, rounds: LossAwareSteps.historyLength - 1)
    #expect(!early.isComplete)
    #expect(early.probabilities == [0.25, 0.25, 0.25, 0.25])
  }

  @Test func probabilitiesFollowTheRootMeanSquareOfTheLastLosses() {
    var steps = filled(steps: 4)
    for _ in 0..<5 { steps.note(loss: 7, ofStep: 0) }
    let roots = [((5 + 5 * 49) / 10.0).squareRoot(), 2, 3, 4]
    let total = roots.reduce(0, +)
    for (actual, root) in zip(steps.probabilities, roots) {
      #expect(abs(actual - (0.999 * root / total + 0.001 / 4)) < 1e-12)
    }
    // The oldest losses are forgotten.
    for _ in 0..<10 { steps.note(loss: 1, ofStep: 0) }
    #expect(abs(steps.probabilities[0] - (0.999 * 0.1 + 0.001 / 4)) < 1e-12)
  }

  @Test func drawsFollowTheProbabilitiesAndWeightsCompensateForThem() throws {
    let objective = try TrainingObjective(
      model: ModelDescription(
        process: DiscreteProcess(schedule: try .linear(steps: 20)), parametrisation: .prediction(.noise)))
    let lossAware = filled(steps: 20)
    let count = 40_000
    let drawn = objective.draw(
      images: Tensor(shape: [count, 1, 1, 1]), seed: 1, step: 7, firstSample: 0, lossAware: lossAware)
    var counts = [Double](repeating: 0, count: 20)
    for time in drawn.times { counts[Int(time)] += 1 }
    let chiSquare = zip(counts, lossAware.probabilities).reduce(0.0) { sum, pair in
      let expected = pair.1 * Double(count)
      return sum + (pair.0 - expected) * (pair.0 - expected) / expected
    }
    // 19 degrees of freedom: the 0.1st and 99.9th percentiles.
    #expect((5.4...43.8).contains(chiSquare))
    // The weighted mean of t is that of uniform draws.
    let weighted = zip(drawn.times, drawn.weights).map { $0 * $1 }
    let (mean, variance) = moments(weighted)
    #expect(abs(mean - 9.5) < 4 * (variance / Double(count)).squareRoot())
  }

  @Test func lossesHaveTheWeightsOfTheirDraws() throws {
    let objective = try TrainingObjective(
      model: ModelDescription(
        process: DiscreteProcess(schedule: try .linear(steps: 20)), parametrisation: .prediction(.noise)))
    let images = Tensor(shape: [2, 1, 1, 1])
    let noised = NoisedImages(
      input: images, original: images, noise: images, times: [3, 4], networkTimes: [3, 4], weights: [1, 3])
    let part = objective.lossAndGradient(
      output: Tensor([1, 2], shape: [2, 1, 1, 1]), of: noised, elementsInGlobalBatch: 4)
    #expect(part.imageLosses == [1, 4])
    #expect(part.loss == 13.0 / 4)
    #expect(part.gradient.elements == [0.5, 3])
  }
}
