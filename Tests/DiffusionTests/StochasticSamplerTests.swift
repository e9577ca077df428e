import Diffusion
import RealModule
import Testing

/// Samplers that add noise, with the optimal denoiser for Gaussian data: samples must have the data's mean and
/// variance.
@Suite struct StochasticSamplerTests {
  static let (mean, standardDeviation) = (0.3, 0.5)

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// The maximum relative error of the variance; the comments give the actual values.
    let discretisation: Double
    let sampler: @Sendable (any ForwardProcess) throws -> any Sampler
  }

  static let cases: [Case] = [
    Case(testDescription: "Euler-Maruyama", discretisation: 0.06) {
      try EulerMaruyamaSampler(process: $0, steps: 400, ending: .asIs)
    },
    Case(testDescription: "predictor and corrector", discretisation: 0.06) {
      try PredictorCorrectorSampler(process: $0, steps: 300, signalToNoise: 0.05, ending: .asIs)
    },
    Case(testDescription: "predictor alone", discretisation: 0.06) {
      try PredictorCorrectorSampler(process: $0, steps: 400, corrections: 0, ending: .asIs)
    },
  ]

  @Test(arguments: cases, ProcessTests.sdes.prefix(3))
  func samplesHaveTheMomentsOfTheData(_ test: Case, _ named: ProcessTests.Named) throws {
    let process = named.process
    // Many elements: a Langevin step's length depends on the norms of an image's noise and score, which vary if there
    // are few.
    let exact = ExactDenoiser(
      data: GaussianMixture(mean: Self.mean, standardDeviation: Self.standardDeviation, size: 500), process: process)
    let images = try test.sampler(process).sample(
      from: normals([20, 500], seed: 3), denoiser: exact, noise: SamplerNoise(seed: 3), progress: nil
    ).images
    let end = process.marginal(at: process.times.lowerBound)
    let variance = Double.pow(end.signal * Self.standardDeviation, 2) + end.sigma * end.sigma
    let (measuredMean, measuredVariance) = moments(images.elements)
    // Four standard errors, plus the discretisation error.
    let count = Double(images.elements.count)
    #expect(abs(measuredMean - end.signal * Self.mean) < 4 * (variance / count).squareRoot() + 0.02 * Self.mean)
    #expect(
      abs(measuredVariance / variance - 1) < 4 * (2 / count).squareRoot() + test.discretisation,
      "\(measuredVariance / variance)")
  }

  /// All errors of Euler's method are halved with the step size.
  @Test func eulerMaruyamaConvergesInDistribution() throws {
    let process = try VariancePreservingSDE()
    let exact = ExactDenoiser(
      data: GaussianMixture(mean: 0, standardDeviation: Self.standardDeviation, size: 1), process: process)
    // The variance of a linear recursion, computed exactly: two samples with opposite latents and noise give the
    // factor.
    func variance(steps: Int) throws -> Double {
      let times = process.samplingTimes(steps: steps)
      var variance = process.priorSigma * process.priorSigma
      for step in 0..<steps {
        let (time, length) = (times[step], times[step] - times[step + 1])
        let one = DoubleTensor([1], shape: [1, 1])
        let noise = exact.estimate(one, at: [time], images: [0]).noise.elements[0]
        let drift =
          process.drift(at: time) + process.squaredDiffusion(at: time) / process.marginal(at: time).sigma * noise
        variance = Double.pow(1 - length * drift, 2) * variance + process.squaredDiffusion(at: time) * length
      }
      return variance
    }
    let end = process.marginal(at: process.times.lowerBound)
    let expected = Double.pow(end.signal * Self.standardDeviation, 2) + end.sigma * end.sigma
    let errors = try [200, 400, 800, 1600].map { abs(try variance(steps: $0) - expected) }
    for (coarse, fine) in zip(errors, errors.dropFirst()) { #expect((1.6...2.4).contains(coarse / fine), "\(errors)") }
  }

  @Test(arguments: [0.0, 0.5, 1])
  func implicitModelsKeepTheMarginals(eta: Double) throws {
    let process = DiscreteProcess(schedule: try .linear())
    let exact = ExactDenoiser(
      data: GaussianMixture(mean: Self.mean, standardDeviation: Self.standardDeviation, size: 4), process: process)
    let sampler = try DDIMSampler(
      process: process, visiting: try StepSpacing.linspace.steps(200, of: 1000), eta: eta, clipsOriginal: false)
    let result = try sampler.sample(from: normals([2500, 4], seed: 3), denoiser: exact, noise: SamplerNoise(seed: 3))
    let (mean, variance) = moments(result.images.elements)
    #expect(abs(mean - Self.mean) < 0.02)
    #expect(abs(variance / 0.25 - 1) < 0.1)
    #expect(result.evaluations == 200)
  }

  @Test func annealedLangevinDynamicsSamplesTheData() throws {
    let process = try VarianceExplodingSDE(sigmaMin: 0.01, sigmaMax: 10)
    let exact = ExactDenoiser(
      data: GaussianMixture(mean: Self.mean, standardDeviation: Self.standardDeviation, size: 500), process: process)
    let sampler = try PredictorCorrectorSampler(
      process: process, steps: 200, corrections: 5, signalToNoise: 0.16, predicts: false)
    let result = try sampler.sample(from: normals([20, 500], seed: 3), denoiser: exact, noise: SamplerNoise(seed: 3))
    let (mean, variance) = moments(result.images.elements)
    #expect(abs(mean - Self.mean) < 0.05)
    #expect(abs(variance / 0.25 - 1) < 0.15)
    #expect(result.evaluations == 1001)
  }

  /// Churn adds noise and removes it: the distribution does not change.
  @Test func churnPreservesTheDistribution() throws {
    let process = try EDMProcess()
    let exact = ExactDenoiser(
      data: GaussianMixture(mean: Self.mean, standardDeviation: Self.standardDeviation, size: 4), process: process)
    var churn = EDMSampler.Churn()
    churn.amount = 20
    let result = try EDMSampler(process: process, steps: 60, churn: churn).sample(
      from: normals([2500, 4], seed: 3), denoiser: exact, noise: SamplerNoise(seed: 3))
    let (mean, variance) = moments(result.images.elements)
    #expect(abs(mean - Self.mean) < 0.02)
    #expect(abs(variance / 0.25 - 1) < 0.06)
  }

  @Test(arguments: SamplerName.allCases)
  func anImageDoesNotDependOnItsBatch(_ name: SamplerName) throws {
    let process = DiscreteProcess(schedule: try .linear())
    let data = GaussianMixture([
      .init(weight: 0.3, mean: [0.5, -0.5, 0.2], standardDeviation: 0.1),
      .init(weight: 0.7, mean: [-0.3, 0.4, 0], standardDeviation: 0.3),
    ])
    let exact = ExactDenoiser(data: data, process: process)
    var settings = SamplerSettings()
    settings.name = name
    settings.steps = 20
    settings.eta = 0.5
    settings.clipsOriginal = false
    let sampler = try settings.sampler(for: process)
    let latents = normals([4, 3], seed: 5)
    let together = try sampler.sample(
      from: latents, denoiser: exact, noise: SamplerNoise(seed: 6, firstImage: 10), progress: nil
    ).images
    for image in 0..<4 {
      let alone = try sampler.sample(
        from: latents.images([image]), denoiser: exact, noise: SamplerNoise(seed: 6, firstImage: 10 + image),
        progress: nil
      ).images
      #expect(alone == together.images([image]))
    }
    #expect(Set(together.elements).count == 12)
  }
}
