import Diffusion
import Testing

@Suite struct AncestralSamplerTests {
  let process: DiscreteProcess
  let schedule: NoiseSchedule

  init() throws {
    schedule = try .linear()
    process = DiscreteProcess(schedule: schedule)
  }

  private func sampler(
    steps: Int, variance: ReverseVariance = .large, clips: Bool = true
  ) throws -> AncestralSampler {
    AncestralSampler(
      process: process, visiting: try StepSpacing.linspace.steps(steps, of: 1000), variance: variance,
      clipsOriginal: clips)
  }

  struct Case: Sendable {
    let steps: Int
    let variance: ReverseVariance
    /// The relative error of the samples' variance. Discrete reverse steps are normal distributions with a fixed
    /// variance, whose relative error grows with the length of the steps; the comments give the exact values, from
    /// `momentsAfterSampling`.
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
  func samplesOfTheOptimalDenoiserHaveTheMomentsOfTheData(_ testCase: Case) throws {
    let data = GaussianData(mean: 0.3, standardDeviation: 0.5)
    let sampler = try sampler(steps: testCase.steps, variance: testCase.variance, clips: false)
    let exact = ExactDenoiser(data: GaussianMixture(mean: 0.3, standardDeviation: 0.5, size: 4), process: process)
    let images = try sampler.sample(
      from: normals([5000, 2, 2, 1], seed: 21), denoiser: exact, noise: SamplerNoise(seed: 21)
    ).images
    let count = Double(images.elements.count)
    let (mean, variance) = moments(images.elements)
    let expected = data.momentsAfterSampling(
      cumulativeAlphas: sampler.visited.map { schedule.cumulativeAlphas[$0] },
      largeVariance: testCase.variance == .large)
    // Four standard errors of the mean and of the variance of so many normal numbers.
    #expect(abs(mean - expected.mean) < 4 * (expected.variance / count).squareRoot())
    #expect(abs(variance - expected.variance) < 4 * expected.variance * (2 / count).squareRoot())

    let dataVariance = data.standardDeviation * data.standardDeviation
    // ᾱ_T is 4e-5 and not 0, so the mean of the latents has a relative error of √ᾱ_T.
    #expect(abs(expected.mean - data.mean) < 1e-5)
    #expect(abs(expected.variance / dataVariance - 1) < testCase.discretisation)
  }

  @Test func anImageDoesNotDependOnItsBatch() throws {
    let exact = ExactDenoiser(data: GaussianMixture(mean: 0.1, standardDeviation: 0.4, size: 12), process: process)
    let sampler = try sampler(steps: 25)
    let latents = DoubleTensor(Latents.draw(shape: [5, 2, 2, 3], seed: 9, firstImage: 100))
    let together = try sampler.sample(
      from: latents, denoiser: exact, noise: SamplerNoise(seed: 9, firstImage: 100)
    ).images
    for image in 0..<5 {
      let alone = try sampler.sample(
        from: latents.images([image]), denoiser: exact, noise: SamplerNoise(seed: 9, firstImage: 100 + image))
      #expect(alone.images == together.images([image]))
    }
  }

  private func constant(_ noise: Double) -> ClosureDenoiser {
    ClosureDenoiser { [process] x, times in
      Estimate(
        noise: DoubleTensor(repeating: noise, shape: x.shape), of: x, at: times.map { process.marginal(at: $0) })
    }
  }

  @Test func denoiserIsConditionedOnTheOriginalTimesteps() throws {
    var timesteps: [Double] = []
    let zero = constant(0)
    let denoiser = ClosureDenoiser { x, times in
      #expect(times.count == 2 && times[0] == times[1])
      timesteps.append(times[0])
      return try zero.body(x, times)
    }
    var done: [Int] = []
    let result = try sampler(steps: 4).sample(
      from: DoubleTensor(shape: [2, 1, 1, 1]), denoiser: denoiser, noise: SamplerNoise(seed: 1),
      progress: { done.append($0.done) })
    #expect(timesteps == [999, 666, 333, 0])
    #expect(done == [1, 2, 3, 4] && result.evaluations == 4)
  }

  @Test func clippedImagesAreInTheRangeOfImages() throws {
    let latents = normals([4, 2, 2, 1], seed: 2)
    let clipped = try sampler(steps: 10).sample(from: latents, denoiser: constant(3), noise: SamplerNoise(seed: 2))
    #expect(clipped.images.elements.allSatisfy { abs($0) <= 1 })
    let free = try sampler(steps: 10, clips: false).sample(
      from: latents, denoiser: constant(3), noise: SamplerNoise(seed: 2))
    #expect(free.images.elements.contains { abs($0) > 1 })
  }

  @Test func nanSurvivesClipping() throws {
    let images = try sampler(steps: 3).sample(
      from: DoubleTensor(shape: [1, 1, 1, 2]), denoiser: constant(.nan), noise: SamplerNoise(seed: 2)
    ).images
    #expect(images.elements.allSatisfy { $0.isNaN })
  }
}
