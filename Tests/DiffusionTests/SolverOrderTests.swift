import Diffusion
import RealModule
import Testing

/// Deterministic samplers against the exact solution for Gaussian data, where x(t) keeps its quantile of the marginal
/// distribution: (x − α·m)/√(α²s² + σ²) is constant.
@Suite struct SolverOrderTests {
  static let size = 6
  static let data = GaussianMixture(mean: 0.4, standardDeviation: 0.3, size: size)

  private func exactFlow(_ x: DoubleTensor, from start: Marginal, to end: Marginal) -> DoubleTensor {
    func spread(_ marginal: Marginal) -> Double {
      (marginal.signal * marginal.signal * 0.09 + marginal.sigma * marginal.sigma).squareRoot()
    }
    return DoubleTensor(
      x.elements.map { (($0 - start.signal * 0.4) / spread(start)) * spread(end) + end.signal * 0.4 }, shape: x.shape)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let method: RungeKutta
    let steps: [Int]

    var testDescription: String { "the method of order \(method.order)" }
  }

  static let cases = [
    Case(method: .euler, steps: [100, 200, 400, 800]), Case(method: .heun, steps: [50, 100, 200, 400]),
    Case(method: .rungeKutta4, steps: [40, 80, 160]),
  ]

  @Test(arguments: cases, ProcessTests.sdes.prefix(4))
  func errorsFallWithTheOrderOfTheMethod(_ test: Case, _ named: ProcessTests.Named) throws {
    let process = named.process
    let latents = normals([3, Self.size], seed: 4)
    let start = DoubleTensor(process.priorSigma * latents)
    let expected = exactFlow(
      start, from: process.marginal(at: process.times.upperBound), to: process.marginal(at: process.times.lowerBound))
    var errors: [Double] = []
    for steps in test.steps {
      let sampler = try ProbabilityFlowSampler(
        process: process, solver: .fixed(test.method, steps: steps), ending: .asIs)
      let result = try sampler.sample(
        from: latents, denoiser: ExactDenoiser(data: Self.data, process: process), noise: SamplerNoise(seed: 0))
      #expect(result.evaluations == steps * test.method.stageCount)
      errors.append(largestDifference(result.images, expected))
    }
    let orders = zip(errors, errors.dropFirst()).map { Double.log2($0 / $1) }
    #expect(abs(orders.last! - Double(test.method.order)) < 0.25, "\(orders) from \(errors)")
  }

  @Test(arguments: ProcessTests.sdes.prefix(4), [1e-4, 1e-7])
  func theAdaptiveSolverKeepsItsErrorSmall(_ named: ProcessTests.Named, tolerance: Double) throws {
    let process = named.process
    let latents = normals([3, Self.size], seed: 4)
    let start = DoubleTensor(process.priorSigma * latents)
    let expected = exactFlow(
      start, from: process.marginal(at: process.times.upperBound), to: process.marginal(at: process.times.lowerBound))
    let sampler = try ProbabilityFlowSampler(
      process: process, solver: .adaptive(relative: tolerance, absolute: tolerance), ending: .asIs)
    let result = try sampler.sample(
      from: latents, denoiser: ExactDenoiser(data: Self.data, process: process), noise: SamplerNoise(seed: 0))
    #expect(largestDifference(result.images, expected) < 100 * tolerance)
    #expect(result.evaluations < 1500)
  }

  @Test(arguments: ProcessTests.sdes.prefix(4))
  func dpmSolverHasSecondOrder(_ named: ProcessTests.Named) throws {
    let process = named.process
    let latents = normals([3, Self.size], seed: 4)
    let exact = ExactDenoiser(data: Self.data, process: process)
    let start = DoubleTensor(process.priorSigma * latents)
    let end = exactFlow(
      start, from: process.marginal(at: process.times.upperBound), to: process.marginal(at: process.times.lowerBound))
    let expected = exact.estimate(
      end, at: [0, 1, 2].map { _ in process.times.lowerBound }, images: [0, 1, 2]
    ).original
    var errors: [Double] = []
    for steps in [40, 80, 160, 320] {
      let sampler = try DPMSolverSampler(process: process, times: process.samplingTimes(steps: steps))
      let result = try sampler.sample(from: latents, denoiser: exact, noise: SamplerNoise(seed: 0))
      errors.append(largestDifference(result.images, expected))
    }
    let orders = zip(errors, errors.dropFirst()).map { Double.log2($0 / $1) }
    #expect(abs(orders.last! - 2) < 0.25, "\(orders) from \(errors)")
  }

  @Test(arguments: ProcessTests.sdes.prefix(4))
  func heunsMethodOfEDMHasSecondOrder(_ named: ProcessTests.Named) throws {
    let process = named.process
    let latents = normals([3, Self.size], seed: 4)
    let exact = ExactDenoiser(data: Self.data, process: process)
    let first = process.marginal(at: process.times.upperBound)
    // It starts from x/α = (σ/α)·z.
    let start = DoubleTensor(first.sigma * latents)
    let end = exactFlow(start, from: first, to: process.marginal(at: process.times.lowerBound))
    let expected = exact.estimate(
      end, at: [0, 1, 2].map { _ in process.times.lowerBound }, images: [0, 1, 2]
    ).original
    var errors: [Double] = []
    for steps in [20, 40, 80, 160] {
      let result = try EDMSampler(process: process, steps: steps).sample(
        from: latents, denoiser: exact, noise: SamplerNoise(seed: 0))
      #expect(result.evaluations == 2 * steps - 1)
      errors.append(largestDifference(result.images, expected))
    }
    let orders = zip(errors, errors.dropFirst()).map { Double.log2($0 / $1) }
    #expect(abs(orders.last! - 2) < 0.3, "\(orders) from \(errors)")
  }
}
