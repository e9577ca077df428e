import Diffusion
import Tensors
import Testing

@Suite struct NoisePredictionObjectiveTests {
  let objective: NoisePredictionObjective

  init() throws {
    objective = NoisePredictionObjective(process: DiscreteProcess(schedule: try .linear()))
  }

  @Test func timestepsAreUniform() {
    let imageCount = 20_000
    let images = Tensor(shape: [imageCount, 1, 1, 1])
    let timesteps = objective.draw(images: images, seed: 5, step: 3, firstSample: 0).timesteps
    #expect(timesteps.allSatisfy { (0..<1000).contains($0) })
    var counts = [Int](repeating: 0, count: 50)
    for timestep in timesteps { counts[timestep / 20] += 1 }
    let expected = Double(imageCount) / 50
    let chiSquare = counts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    // 49 degrees of freedom: the 0.1st and 99.9th percentiles.
    #expect((23.9...85.4).contains(chiSquare))
  }

  @Test func drawsDependOnTheSampleAloneAndNotOnItsMicroBatch() {
    let images = Latents.draw(shape: [6, 2, 2, 1], seed: 8, firstImage: 0)
    let whole = objective.draw(images: images, seed: 1, step: 4, firstSample: 10)
    let tail = Tensor(Array(images.elements[16...]), shape: [2, 2, 2, 1])
    let part = objective.draw(
      images: tail, seed: 1, step: 4, firstSample: 14, workers: WorkerPool(threadCount: 2))
    #expect(part.timesteps == Array(whole.timesteps[4...]))
    #expect(part.noise.elements == Array(whole.noise.elements[16...]))
    #expect(part.noisy.elements == Array(whole.noisy.elements[16...]))
  }

  @Test func seedStepAndSampleEachChangeTheDraw() {
    let images = Tensor(shape: [8, 1, 1, 1])
    let draws = [(1, 1, 0), (2, 1, 0), (1, 2, 0), (1, 1, 8)].map { seed, step, first in
      objective.draw(images: images, seed: UInt64(seed), step: step, firstSample: first)
    }
    #expect(Set(draws.map(\.timesteps)).count == 4)
    #expect(Set(draws.map(\.noise.elements)).count == 4)
  }

  @Test func noisyImagesAreTheProcessAppliedToTheNoise() {
    let images = Latents.draw(shape: [3, 2, 2, 1], seed: 8, firstImage: 0)
    let drawn = objective.draw(images: images, seed: 1, step: 4, firstSample: 0)
    for index in 0..<images.count {
      let marginal = objective.process.marginals[drawn.timesteps[index / 4]]
      let expected =
        marginal.signal * Double(images.elements[index]) + marginal.deviation * Double(drawn.noise.elements[index])
      #expect(drawn.noisy.elements[index] == Float(expected))
    }
    #expect(drawn.denoiserTimesteps == drawn.timesteps.map { Float($0) })
  }
}
