import Diffusion
import Tensors
import Testing

@Suite struct VariancePreservingProcessTests {
  let process: VariancePreservingProcess

  init() throws {
    process = VariancePreservingProcess(schedule: try .linear())
  }

  /// q(x_{t−1} | x_t, x_0) with x_t drawn from q(x_t | x_0) must give back q(x_{t−1} | x_0).
  @Test func posteriorAndMarginalComposeToTheMarginalBefore() {
    for step in 0..<process.steps {
      let posterior = process.posterior(at: step)
      let marginal = process.marginal(at: step)
      let signal = posterior.original + posterior.noisy * marginal.signal
      let variance =
        posterior.variance + posterior.noisy * posterior.noisy * marginal.deviation * marginal.deviation
      let before = step > 0 ? process.marginal(at: step - 1) : nil
      // At step 1, 1 − ᾱ is 2e-4 and the cancellation costs four digits of sixteen.
      #expect(abs(signal - (before?.signal ?? 1)) < 1e-12)
      #expect(abs(variance - (before.map { $0.deviation * $0.deviation } ?? 0)) < 1e-12)
    }
  }

  @Test func marginalFollowsFromSingleSteps() {
    var signal = 1.0
    var variance = 0.0
    for step in 0..<process.steps {
      let beta = process.schedule.betas[step]
      signal *= (1 - beta).squareRoot()
      variance = (1 - beta) * variance + beta
      // A thousand roundings.
      #expect(abs(process.marginal(at: step).signal - signal) < 1e-12)
      #expect(abs(process.marginal(at: step).deviation - variance.squareRoot()) < 1e-12)
    }
  }

  @Test func posteriorVarianceLiesBelowBeta() {
    #expect(process.posterior(at: 0).variance == 0)
    for step in 1..<process.steps {
      let variance = process.posterior(at: step).variance
      #expect(variance > 0 && variance < process.schedule.betas[step])
    }
  }

  @Test func noisedImagesFollowTheFormulaAtEachImagesOwnStep() {
    let original = Tensor([0.5, -1, 1, 0.25], shape: [2, 1, 1, 2])
    let noise = Tensor([1, -0.5, 0.125, 2], shape: [2, 1, 1, 2])
    let noisy = process.noised(original: original, noise: noise, timesteps: [10, 700])
    for index in 0..<4 {
      let cumulative = process.schedule.cumulativeAlphas[index < 2 ? 10 : 700]
      let expected =
        cumulative.squareRoot() * Double(original.elements[index])
        + (1 - cumulative).squareRoot() * Double(noise.elements[index])
      #expect(noisy.elements[index] == Float(expected))
    }
  }

  @Test func predictedOriginalUndoesNoising() {
    let original = Tensor([0.5, -1, 1, 0.25, 0, -0.75], shape: [3, 1, 2, 1])
    let noise = Tensor([1, -0.5, 0.125, 2, -1, 0.3], shape: [3, 1, 2, 1])
    let timesteps = [0, 500, 999]
    let noisy = process.noised(original: original, noise: noise, timesteps: timesteps)
    let restored = process.predictedOriginal(noisy: noisy, noise: noise, timesteps: timesteps)
    for index in 0..<original.count {
      // x_t is rounded to 2⁻²⁴ of its size, about 2, and the rounding is divided by √ᾱ_t.
      let tolerance = Float(2 * 0x1p-24 / process.marginal(at: timesteps[index / 2]).signal + 0x1p-24)
      #expect(abs(restored.elements[index] - original.elements[index]) <= tolerance)
    }
  }

  @Test func threadsDoNotChangeNoisedImages() {
    let original = Latents.draw(shape: [7, 4, 4, 3], seed: 1, firstImage: 0)
    let noise = Latents.draw(shape: [7, 4, 4, 3], seed: 2, firstImage: 0)
    let timesteps = [0, 1, 5, 100, 500, 998, 999]
    let alone = process.noised(original: original, noise: noise, timesteps: timesteps)
    let shared = process.noised(
      original: original, noise: noise, timesteps: timesteps, workers: WorkerPool(threadCount: 3))
    #expect(alone.elements == shared.elements)
  }
}
