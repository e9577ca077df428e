import Diffusion
import Tensors
import Testing

/// Properties of every sampler.
@Suite struct AllSamplersTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: SamplerName
    let process: any ForwardProcess
    let testDescription: String
  }

  static let cases: [Case] = (ProcessTests.sdes + [ProcessTests.zeroTerminalSNR]).flatMap { named in
    SamplerName.allCases.compactMap { name -> Case? in
      if (name == .ddpm || name == .ddim) && named.process.discrete == nil { return nil }
      return Case(name: name, process: named.process, testDescription: "\(name.rawValue) on \(named.testDescription)")
    }
  }

  /// Two clusters, so that the elements are correlated; pairs of elements repeat.
  static func mixture(pairs: Int) -> GaussianMixture {
    func mean(_ pair: [Double]) -> [Double] { (0..<pairs).flatMap { _ in pair } }
    return GaussianMixture([
      .init(weight: 0.6, mean: mean([0.6, -0.4]), standardDeviation: 0.15),
      .init(weight: 0.4, mean: mean([-0.5, 0.5]), standardDeviation: 0.25),
    ])
  }

  /// Mean and covariance of the mixture.
  private static func exactMoments() -> (mean: [Double], covariance: [[Double]]) {
    let components = mixture(pairs: 1).components
    let mean = (0..<2).map { element in components.reduce(0) { $0 + $1.weight * $1.mean[element] } }
    let covariance = (0..<2).map { row in
      (0..<2).map { column in
        components.reduce(-mean[row] * mean[column]) { sum, component in
          sum + component.weight
            * (component.mean[row] * component.mean[column]
              + (row == column ? component.standardDeviation * component.standardDeviation : 0))
        }
      }
    }
    return (mean, covariance)
  }

  private func settings(_ name: SamplerName, steps: Int) -> SamplerSettings {
    var settings = SamplerSettings()
    settings.name = name
    settings.steps = steps
    settings.variance = .small
    settings.clipsOriginal = false
    settings.tolerance = 1e-4
    // With a single Langevin step per level, the noise of 300 levels falls faster than the steps can follow.
    if name == .langevin { settings.corrections = 5 }
    return settings
  }

  /// Four standard errors, plus the bias of 300 steps: a hundredth of the data's size.
  static let bias = 0.01

  /// The length of a Langevin step depends on the norms of an image's noise and score, which are unreliable for two
  /// elements; so images have 128. Steps with a signal-to-noise ratio of 0.16 keep some noise of each level.
  static let langevinBias = 0.03

  @Test(arguments: cases)
  func samplesHaveTheMeanAndCovarianceOfTheData(_ test: Case) throws {
    let isLangevin = test.name == .langevin || test.name == .predictorCorrector
    let (count, pairs) = isLangevin ? (500, 64) : (2000, 1)
    let bias = isLangevin ? Self.langevinBias : Self.bias
    let sampler = try settings(test.name, steps: 300).sampler(for: test.process)
    let images = try sampler.sample(
      from: normals([count, 2 * pairs], seed: 3),
      denoiser: ExactDenoiser(data: Self.mixture(pairs: pairs), process: test.process),
      noise: SamplerNoise(seed: 4), progress: nil
    ).images
    let (mean, covariance) = Self.exactMoments()
    let columns = (0..<2).map { element in (0..<count).map { images.elements[2 * pairs * $0 + element] } }
    for row in 0..<2 {
      let actual = moments(columns[row]).mean
      #expect(abs(actual - mean[row]) < 4 * (covariance[row][row] / Double(count)).squareRoot() + bias)
      for column in 0...row {
        let products = zip(columns[row], columns[column]).map { ($0 - mean[row]) * ($1 - mean[column]) }
        let (value, variance) = moments(products)
        #expect(
          abs(value - covariance[row][column]) < 4 * (variance / Double(count)).squareRoot() + bias,
          "covariance of \(row) and \(column): \(value), not \(covariance[row][column])")
      }
    }
  }

  /// Returns the exact prediction, rounded to single precision.
  struct ExactNetwork: DiffusionNetwork {
    let model: ModelDescription

    func output(_ x: Tensor, times: [Float], conditions: Conditions) -> Tensor {
      // The time input of a discrete process's network is the time itself.
      let scales = times.map { 1 / model.inputScale(at: Double($0)) }
      let x = DoubleTensor(scales * DoubleTensor(x))
      let estimate = ExactDenoiser(data: mixture(pairs: 1), process: model.process).estimate(
        x, at: times.map(Double.init), images: Array(times.indices))
      let targets = times.map { model.target(at: Double($0)) }
      return DoubleTensor(targets.map(\.original) * estimate.original + targets.map(\.noise) * estimate.noise).single
    }
  }

  /// Outputs are rounded to single precision; at high noise levels the error is a hundred times larger relative to the
  /// image.
  @Test(arguments: SamplerName.allCases)
  func allPredictionsDrawTheSameImages(_ name: SamplerName) throws {
    let process = DiscreteProcess(schedule: try .linear(steps: 100, first: 1e-3, last: 0.1))
    let latents = normals([5, 2], seed: 8)
    let images = try Prediction.allCases.map { prediction in
      let model = ModelDescription(process: process, parametrisation: .prediction(prediction))
      let denoiser = NetworkDenoiser(network: ExactNetwork(model: model), model: model)
      return try settings(name, steps: 20).sampler(for: process).sample(
        from: latents, denoiser: denoiser, noise: SamplerNoise(seed: 4), progress: nil
      ).images
    }
    for other in images.dropFirst() { #expect(largestDifference(images[0], other) < 1e-4) }
  }
}
