import Diffusion
import Tensors
import Testing

@Suite struct AncestralSamplerTests {
  let process: VariancePreservingProcess

  init() throws {
    process = VariancePreservingProcess(schedule: try .linear())
  }

  struct Case: Sendable {
    let steps: Int
    let variance: AncestralSampler.Variance
    /// How far the variance of the samples may be from that of the data, as a share of it. Discrete reverse steps are
    /// normal distributions of a fixed variance, wrong by a share that grows with their length; the exact value, from
    /// `momentsAfterSampling`, is in the comment.
    let discretisation: Double
  }

  static let cases = [
    Case(steps: 1000, variance: .large, discretisation: 0.004),  // +0.30 %
    Case(steps: 1000, variance: .small, discretisation: 0.016),  // −1.55 %
    Case(steps: 250, variance: .large, discretisation: 0.014),  // +1.34 %
    Case(steps: 250, variance: .small, discretisation: 0.057),  // −5.59 %
    Case(steps: 50, variance: .large, discretisation: 0.073),  // +7.15 %
    Case(steps: 50, variance: .small, discretisation: 0.22),  // −21.4 %
  ]

  @Test(arguments: cases)
  func reproducesGaussianDataFromTheBestDenoiser(_ testCase: Case) throws {
    let data = GaussianData(mean: 0.3, deviation: 0.5)
    let sampler = try AncestralSampler(
      process: process, steps: testCase.steps, variance: testCase.variance, clipsOriginal: false)
    let latents = Latents.draw(shape: [5000, 2, 2, 1], seed: 21, firstImage: 0)
    let images = try sampler.sample(
      from: latents, denoiser: GaussianDenoiser(data: data, schedule: process.schedule), noise: SamplerNoise(seed: 21),
      workers: WorkerPool(threadCount: 2))

    let count = Double(images.count)
    let mean = images.elements.reduce(0.0) { $0 + Double($1) } / count
    let variance = images.elements.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / (count - 1)
    let expected = data.momentsAfterSampling(
      cumulativeAlphas: sampler.timesteps.map { process.schedule.cumulativeAlphas[$0] },
      largeVariance: testCase.variance == .large)
    // Four standard errors of the mean and of the variance of so many normal numbers.
    #expect(abs(mean - expected.mean) < 4 * (expected.variance / count).squareRoot())
    #expect(abs(variance - expected.variance) < 4 * expected.variance * (2 / count).squareRoot())

    let dataVariance = data.deviation * data.deviation
    // ᾱ_T is 4e-5 and not 0, so the latents start with a mean that is wrong by that share of √ᾱ_T.
    #expect(abs(expected.mean - data.mean) < 1e-5)
    #expect(abs(expected.variance / dataVariance - 1) < testCase.discretisation)
  }

  @Test func anImageDoesNotDependOnItsCompany() throws {
    let denoiser = GaussianDenoiser(data: GaussianData(mean: 0.1, deviation: 0.4), schedule: process.schedule)
    let sampler = try AncestralSampler(process: process, steps: 25)
    let together = try sampler.sample(
      from: Latents.draw(shape: [5, 2, 2, 3], seed: 9, firstImage: 100), denoiser: denoiser,
      noise: SamplerNoise(seed: 9, firstImage: 100), workers: WorkerPool(threadCount: 3))
    for image in 0..<5 {
      let alone = try sampler.sample(
        from: Latents.draw(shape: [1, 2, 2, 3], seed: 9, firstImage: 100 + image), denoiser: denoiser,
        noise: SamplerNoise(seed: 9, firstImage: 100 + image))
      #expect(alone.elements == Array(together.elements[image * 12..<(image + 1) * 12]))
    }
  }

  @Test func denoiserIsToldTheProcessesOwnTimesteps() throws {
    var told: [Float] = []
    let denoiser = ClosureDenoiser { x, timesteps in
      #expect(timesteps.count == 2 && timesteps[0] == timesteps[1])
      told.append(timesteps[0])
      return Tensor(shape: x.shape)
    }
    var done: [Int] = []
    _ = try AncestralSampler(process: process, steps: 4).sample(
      from: Tensor(shape: [2, 1, 1, 1]), denoiser: denoiser, noise: SamplerNoise(seed: 1),
      progress: { done.append($0) })
    #expect(told == [999, 666, 333, 0])
    #expect(done == [1, 2, 3, 4])
  }

  @Test func clippedImagesLieInTheRangeOfImages() throws {
    let wild = ClosureDenoiser { x, _ in Tensor(repeating: 3, shape: x.shape) }
    let latents = Latents.draw(shape: [4, 2, 2, 1], seed: 2, firstImage: 0)
    let clipped = try AncestralSampler(process: process, steps: 10).sample(
      from: latents, denoiser: wild, noise: SamplerNoise(seed: 2))
    #expect(clipped.elements.allSatisfy { abs($0) <= 1 })
    let free = try AncestralSampler(process: process, steps: 10, clipsOriginal: false).sample(
      from: latents, denoiser: wild, noise: SamplerNoise(seed: 2))
    #expect(free.elements.contains { abs($0) > 1 })
  }

  @Test func notANumberSurvivesClipping() throws {
    let broken = ClosureDenoiser { x, _ in Tensor(repeating: .nan, shape: x.shape) }
    let images = try AncestralSampler(process: process, steps: 3).sample(
      from: Tensor(shape: [1, 1, 1, 2]), denoiser: broken, noise: SamplerNoise(seed: 2))
    #expect(images.elements.allSatisfy { $0.isNaN })
  }

  @Test func latentsAreLeftAsTheyAre() throws {
    let latents = Latents.draw(shape: [1, 2, 2, 1], seed: 2, firstImage: 0)
    let before = latents.elements
    _ = try AncestralSampler(process: process, steps: 3).sample(
      from: latents, denoiser: ClosureDenoiser { x, _ in x }, noise: SamplerNoise(seed: 2))
    #expect(latents.elements == before)
  }

  @Test(arguments: [0, 1001])
  func impossibleStepCountsAreRefused(steps: Int) {
    let error = #expect(throws: DiffusionError.self) { try AncestralSampler(process: process, steps: steps) }
    #expect(error?.key == "steps")
  }
}
