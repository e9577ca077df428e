import Diffusion
import Tensors
import Testing

/// Given channels and guidance by them, with an exact network for Gaussian data.
@Suite struct FieldGuidanceTests {
  /// Each element is x = slope·c + offset + spread·z, where c, its given value, and z are standard normal.
  struct Regression {
    let slope = 0.6
    let offset = 0.1
    let spread = 0.2

    /// Mean and variance of x, given c or not.
    func moments(given c: Double?) -> (mean: Double, variance: Double) {
      guard let c else { return (offset, slope * slope + spread * spread) }
      return (slope * c + offset, spread * spread)
    }

    /// ∇ log q(x_t | c), or ∇ log q(x_t).
    func score(_ x: Double, given c: Double?, at marginal: Marginal) -> Double {
      let (mean, variance) = moments(given: c)
      return (marginal.signal * mean - x)
        / (marginal.signal * marginal.signal * variance + marginal.sigma * marginal.sigma)
    }

    /// ∇ log q(c | x_t): c given x_t is normal with a mean that is linear in x_t.
    func conditionScore(_ x: Double, _ c: Double, at marginal: Marginal) -> Double {
      let alpha = marginal.signal
      let gain = alpha * slope / (alpha * alpha * moments(given: nil).variance + marginal.sigma * marginal.sigma)
      let mean = gain * (x - alpha * offset)
      return (c - mean) / (1 - gain * alpha * slope) * gain
    }
  }

  /// Predicts the noise in single precision, as networks do. Zeros in all of an image's given channels are hidden ones.
  struct ExactNetwork: DiffusionNetwork {
    let process: DiscreteProcess

    func output(_ x: Tensor, times: [Float], conditions: Conditions) -> Tensor {
      let output = Tensor(uninitialised: x.shape)
      for (image, time) in times.enumerated() {
        let marginal = process.marginal(at: Double(time))
        let given = conditions.fields?[image: image].elements ?? []
        let isHidden = given.allSatisfy { $0 == 0 }
        let elements = x[image: image]
        for index in 0..<elements.count {
          let c = isHidden ? nil : Double(given[index])
          let score = Regression().score(Double(elements[index]), given: c, at: marginal)
          output[image * elements.count + index] = Float(-marginal.sigma * score)
        }
      }
      return output
    }
  }

  private let process: DiscreteProcess
  private let conditions = Conditions(fields: normals([3, 1, 2, 1], seed: 5).single)
  private var hidden: Conditions { conditions.hidden(classes: false, fields: true) }

  init() throws { process = DiscreteProcess(schedule: try .linear()) }

  private func denoiser(_ guidance: Guidance) -> NetworkDenoiser<ExactNetwork> {
    NetworkDenoiser(
      network: ExactNetwork(process: process),
      model: ModelDescription(process: process, parametrisation: .prediction(.noise)), guidance: guidance)
  }

  @Test(arguments: [0.0, 0.5, 2], [5.0, 300, 900])
  func theScoreIsGuidedTowardsTheCondition(scale: Double, time: Double) throws {
    let regression = Regression()
    let marginal = process.marginal(at: time)
    let images = [2, 0]
    let x = normals([2, 1, 2, 1], seed: 6)
    let estimate = try denoiser(.classifierFree(conditions, from: hidden, scale: scale))
      .estimate(x, at: [time, time], images: images)
    let fields = try #require(conditions.fields)
    for index in 0..<4 {
      let c = Double(fields[2 * images[index / 2] + index % 2])
      let value = x.elements[index]
      let score =
        regression.score(value, given: nil, at: marginal)
        + (1 + scale) * regression.conditionScore(value, c, at: marginal)
      // The network's single precision, five times extrapolated.
      #expect(abs(estimate.noise.elements[index] + marginal.sigma * score) < 1e-5)
      let original = (value + marginal.sigma * marginal.sigma * score) / marginal.signal
      #expect(abs(estimate.original.elements[index] - original) < 1e-5 * (1 + marginal.sigma / marginal.signal))
    }
  }

  @Test func scaleZeroIsTheConditionalEstimate() throws {
    let x = normals([3, 1, 2, 1], seed: 6)
    let times = [10.0, 500, 990]
    let images = [0, 1, 2]
    let free = try denoiser(.classifierFree(conditions, from: hidden, scale: 0)).estimate(x, at: times, images: images)
    let plain = try denoiser(.conditional(conditions)).estimate(x, at: times, images: images)
    #expect(free.noise == plain.noise && free.original == plain.original)
  }

  /// The probability flow keeps each element's quantile: (x − α·mean)/√(α²·variance + σ²) is constant.
  @Test(arguments: [false, true])
  func theFlowEndsInTheDistributionThatIsGiven(isHidden: Bool) throws {
    let tolerance = 1e-5
    let sampler = try ProbabilityFlowSampler(
      process: process, solver: .adaptive(relative: tolerance, absolute: tolerance), ending: .asIs)
    let latents = normals([3, 1, 2, 1], seed: 7)
    let images = try sampler.sample(
      from: latents, denoiser: denoiser(.conditional(isHidden ? hidden : conditions)), noise: SamplerNoise(seed: 0)
    ).images
    let (start, end) = (process.marginal(at: process.times.upperBound), process.marginal(at: process.times.lowerBound))
    let fields = try #require(conditions.fields)
    for index in 0..<6 {
      let (mean, variance) = Regression().moments(given: isHidden ? nil : Double(fields[index]))
      func spread(_ marginal: Marginal) -> Double {
        (marginal.signal * marginal.signal * variance + marginal.sigma * marginal.sigma).squareRoot()
      }
      let quantile = (latents.elements[index] - start.signal * mean) / spread(start)
      let expected = end.signal * mean + spread(end) * quantile
      #expect(abs(images.elements[index] - expected) < 100 * tolerance)
    }
  }
}
