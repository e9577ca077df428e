import Diffusion
import Tensors
import Testing

/// A process that hides the image at all times makes a regression of a model: the squared error teaches it the mean of
/// the images that belong to its conditions, and one step of the sampler returns what it has learnt.
@Suite struct RegressionTests {
  /// With noise a million times as large as the image.
  let model: ModelDescription

  init() throws {
    model = ModelDescription(
      process: try EDMProcess(sigmaMin: 1e6, sigmaMax: 2e6), parametrisation: .preconditioned(sigmaData: 1))
  }

  @Test func theNetworkSeesNoiseAndLearnsTheImage() throws {
    let objective = try TrainingObjective(model: model, loss: .simple)
    let images = Latents.draw(shape: [16, 4, 4, 1], seed: 3, firstImage: 0)
    let drawn = objective.draw(images: images, seed: 5, step: 3, firstSample: 0)
    // The images' values are below 5, and their part in the input is a millionth.
    let largestTrace = 1e-5
    for index in 0..<images.count {
      #expect(abs(Double(drawn.input[index]) - Double(drawn.noise[index])) < largestTrace)
    }
    for time in drawn.times {
      let target = model.target(at: time)
      #expect(abs(target.original - 1) < largestTrace && abs(target.noise) < largestTrace)
    }
  }

  @Test func oneStepReturnsTheEstimate() throws {
    let estimate = normals([2, 4, 4, 1], seed: 8)
    let process = model.process
    let denoiser = ClosureDenoiser { x, times in
      Estimate(original: estimate, of: x, at: times.map { process.marginal(at: $0) })
    }
    let samples = try EDMSampler(process: process, steps: 1).sample(
      from: normals(estimate.shape, seed: 1), denoiser: denoiser, noise: SamplerNoise(seed: 0))
    #expect(samples.evaluations == 1)
    // Rounding of numbers of some millions in double precision.
    #expect(largestDifference(samples.images, estimate) < 1e-7)
  }
}
