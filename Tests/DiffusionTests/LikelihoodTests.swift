import Diffusion
import RealModule
import Testing

@Suite struct LikelihoodTests {
  /// For a single normal distribution, the trace estimate has no variance if the probes are signs. Its mean is that of
  /// the prior: with another mean, a remainder of it at the start of the flow would be an error of the prior.
  @Test(arguments: ProcessTests.sdes.prefix(4))
  func flowGivesTheDensityOfGaussianData(_ named: ProcessTests.Named) throws {
    let process = named.process
    let data = GaussianMixture(mean: 0, standardDeviation: 0.4, size: 5)
    let denoiser = DifferentiableExactDenoiser(exact: ExactDenoiser(data: data, process: process))
    let images = DoubleTensor(0.4 * normals([4, 5], seed: 2))
    let result = try FlowLikelihood(process: process, tolerance: 1e-7).logDensities(of: images, denoiser: denoiser)
    for image in 0..<4 {
      let expected = data.logDensity(
        images.elements[images.range(ofImage: image)], at: process.marginal(at: process.times.lowerBound))
      let difference =
        FlowLikelihood.bitsPerDimension(logDensity: result.logDensities[image], dimensions: 5)
        - FlowLikelihood.bitsPerDimension(logDensity: expected, dimensions: 5)
      #expect(abs(difference) < 1e-3, "\(difference) bits per dimension")
    }
  }

  /// For a mixture, the density estimate is unbiased.
  @Test(arguments: [FlowLikelihood.Probe.rademacher, .gaussian])
  func flowGivesTheDensityOfAMixtureOnAverage(_ probe: FlowLikelihood.Probe) throws {
    let process = try VariancePreservingSDE()
    let data = GuidanceTests.mixture
    let denoiser = DifferentiableExactDenoiser(exact: ExactDenoiser(data: data, process: process))
    let count = 300
    let image = [0.3, 0.1, 0.2]
    let images = DoubleTensor((0..<count).flatMap { _ in image }, shape: [count, 3])
    let result = try FlowLikelihood(process: process, probe: probe, tolerance: 1e-5, seed: 4).logDensities(
      of: images, denoiser: denoiser)
    let (mean, variance) = moments(result.logDensities)
    let expected = data.logDensity(image[...], at: process.marginal(at: process.times.lowerBound))
    #expect(abs(mean - expected) < 4 * (variance / Double(count)).squareRoot() + 1e-3)
    #expect(variance > 0)
  }

  @Test func bitsPerDimensionCountTheLevels() {
    // A density of ½ over [−1, 1] in each of 3 dimensions: every one of 256 levels has the same probability.
    #expect(abs(FlowLikelihood.bitsPerDimension(logDensity: 3 * Double.log(0.5), dimensions: 3) - 8) < 1e-12)
  }

  /// With the optimal denoiser for data that are a single point, every term except the last vanishes.
  @Test func boundOfAKnownImageIsItsLastTerm() throws {
    let process = DiscreteProcess(schedule: try .linear(steps: 100, first: 1e-3, last: 0.2))
    let point = GaussianMixture(mean: 0.25, standardDeviation: 0, size: 4)
    let exact = ExactDenoiser(data: point, process: process)
    let bound = VariationalBound(process: process, variance: .small)
    let images = DoubleTensor(repeating: 0.25, shape: [2, 4])
    for step in [1, 10, 50, 99] {
      let marginal = process.marginals[step]
      let x = DoubleTensor(marginal.signal * images + marginal.sigma * normals([2, 4], seed: 1))
      let estimate = exact.estimate(x, at: [Double(step), Double(step)], images: [0, 1])
      #expect(bound.terms(at: step, images: images, x: x, estimate: estimate).allSatisfy { abs($0) < 1e-9 })
    }
  }

  /// For Gaussian data the expected bound has a closed form: every Kullback-Leibler divergence depends on
  /// E‖x̂_0 − x_0‖² alone, the posterior variance.
  @Test(arguments: [ReverseVariance.small, .large])
  func theBoundOfGaussianDataIsItsAnalyticValue(_ variance: ReverseVariance) throws {
    let process = DiscreteProcess(schedule: try .linear(steps: 50, first: 1e-3, last: 0.3))
    let standardDeviation = 0.4
    let count = 4000
    let exact = ExactDenoiser(
      data: GaussianMixture(mean: 0, standardDeviation: standardDeviation, size: 2), process: process)
    let bound = VariationalBound(process: process, variance: variance, clipsOriginal: false)
    let images = DoubleTensor(standardDeviation * normals([count, 2], seed: 2))
    for step in [1, 7, 25, 49] {
      let marginal = process.marginals[step]
      let x = DoubleTensor(marginal.signal * images + marginal.sigma * normals([count, 2], seed: 3))
      let estimate = exact.estimate(x, at: Array(repeating: Double(step), count: count), images: Array(0..<count))
      let terms = bound.terms(at: step, images: images, x: x, estimate: estimate)
      let (mean, spread) = moments(terms)
      let transition = process.transition(to: step)
      let posterior = transition.posterior
      let remaining = 1 / (1 / (standardDeviation * standardDeviation) + marginal.signalToNoise)
      let reverse = variance == .small ? posterior.variance : transition.variance
      let expected =
        2
        * (Double.log(reverse / posterior.variance) + posterior.variance / reverse - 1
          + posterior.original * posterior.original * remaining / reverse) / 2
      #expect(abs(mean - expected) < 4 * (spread / Double(count)).squareRoot() + 1e-9)
    }
  }

  @Test func probabilitiesOfTheLevelsAddUpToOne() throws {
    // Step 0 with a fixed estimate: Σ over the 256 levels of p(x_0 | x_1).
    let process = DiscreteProcess(schedule: try .linear(steps: 10, first: 1e-3, last: 0.2))
    for variance in [ReverseVariance.small, .large] {
      let bound = VariationalBound(process: process, variance: variance)
      let total = (0..<256).reduce(0.0) { sum, level in
        let image = DoubleTensor([Double(level) / 127.5 - 1], shape: [1, 1])
        let x = DoubleTensor([0.3], shape: [1, 1])
        let estimate = Estimate(
          original: DoubleTensor([0.29], shape: [1, 1]), of: x, at: [process.marginals[0]])
        return sum + Double.exp(-bound.terms(at: 0, images: image, x: x, estimate: estimate)[0])
      }
      #expect(abs(total - 1) < 1e-9)
    }
  }
}
