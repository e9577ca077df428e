import Diffusion
import RealModule
import Testing

/// For Gaussian data and the optimal denoiser, the posterior is Gaussian and known.
@Suite struct RestorationPosteriorTests {
  struct Problem: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let forward: any MeasurementOperator
    /// Of each element.
    let noise: [Double]
    let smoothness: Double

    init(
      testDescription: String, forward: any MeasurementOperator, noise: Double, smoothness: Double = 1.5,
      ofOtherElements other: Double? = nil
    ) {
      self.testDescription = testDescription
      self.forward = forward
      let count = forward.measurementShape.reduce(1, *)
      self.noise = (0..<count).map { $0.isMultiple(of: 2) ? noise : other ?? noise }
      self.smoothness = smoothness
    }

    var data: CorrelatedGaussian { CorrelatedGaussian(imageShape: forward.imageShape, smoothness: smoothness) }

    /// One measurement.
    func measurement() throws -> Measurement {
      let truth = data.draw(1, seed: 12)
      let y = forward.apply(truth)
      let z = normals(y.shape, seed: 13)
      let added = DoubleTensor(zip(noise, z.elements).map { $0 * $1 }, shape: y.shape)
      return try Measurement(DoubleTensor(y + added), of: forward, noise: noise)
    }
  }

  static let mask = try! RestorationMethodTests.mask()
  static let coarse = try! CoarseOperator(factor: 2, imageShape: [4, 4, 1])
  static let grey = try! GreyOperator(imageShape: [2, 2, 3])
  static let channels = try! ChannelsOperator(channels: [1], imageShape: [2, 2, 3])
  static let blur = try! BlurOperator(sigma: 0.7, imageShape: [4, 4, 1])

  static let masked = Problem(testDescription: "mask", forward: mask, noise: 0)
  static let maskedWithNoise = Problem(testDescription: "mask with noise", forward: mask, noise: 0.1)

  static let draws = 4096

  /// How far draws are from the posterior.
  struct Distance {
    /// ‖mean − true mean‖ over the root of the trace of the true covariance.
    let mean: Double
    /// ‖covariance − true covariance‖ over the norm of the true one.
    let covariance: Double
    /// The ratio of the traces.
    let variance: Double

    init(_ images: DoubleTensor, _ problem: Problem) throws {
      let (mean, covariance) = problem.data.posterior(try problem.measurement())
      let drawn = SquareMatrix.moments(images)
      let square = zip(mean, drawn.mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      self.mean = (square / covariance.trace).squareRoot()
      self.covariance = (drawn.covariance - covariance).norm / covariance.norm
      variance = drawn.covariance.trace / covariance.trace
    }
  }

  /// - Parameter isLinear: whether the images are a linear function of the latents, which then have exact moments.
  private func measure(
    _ problem: Problem, _ method: any RestorationMethod, process: any ForwardProcess, isLinear: Bool = false
  ) throws -> Distance {
    let shape = [Self.draws] + problem.forward.imageShape
    let measurement = try problem.measurement()
    let all = try Measurement(
      measurement.values.images(Array(repeating: 0, count: Self.draws)), of: problem.forward, noise: problem.noise)
    let images = try method.restore(
      all, from: isLinear ? whitenedNormals(shape, seed: 3) : normals(shape, seed: 3),
      denoiser: CorrelatedDenoiser(data: problem.data, process: process), noise: SamplerNoise(seed: 3), progress: nil
    ).images
    return try Distance(images, problem)
  }

  static let correlated: [Problem] = [
    masked, maskedWithNoise, Problem(testDescription: "coarse", forward: coarse, noise: 0),
    Problem(testDescription: "coarse with noise", forward: coarse, noise: 0.1),
    Problem(testDescription: "grey", forward: grey, noise: 0),
    Problem(testDescription: "channels with noise", forward: channels, noise: 0.05),
    Problem(testDescription: "blur with noise", forward: blur, noise: 0.1),
    Problem(testDescription: "coarse with two kinds of noise", forward: coarse, noise: 0.1, ofOtherElements: 0.3),
    Problem(testDescription: "mask, every other element exact", forward: mask, noise: 0, ofOtherElements: 0.2),
    Problem(testDescription: "blur with two kinds of noise", forward: blur, noise: 0.1, ofOtherElements: 0.2),
  ]

  static let white: [Problem] = [
    Problem(testDescription: "white, mask", forward: mask, noise: 0, smoothness: 0),
    Problem(testDescription: "white, coarse with noise", forward: coarse, noise: 0.1, smoothness: 0),
    Problem(testDescription: "white, grey", forward: grey, noise: 0, smoothness: 0),
    Problem(testDescription: "white, blur with noise", forward: blur, noise: 0.1, smoothness: 0),
    Problem(
      testDescription: "white, coarse with two kinds of noise", forward: coarse, noise: 0.1, smoothness: 0,
      ofOtherElements: 0.3),
  ]

  /// Of the posterior's mean and covariance, by 100 steps of Heun's method on 1,000 steps of VP, which ends at α = 0.006.
  static let tolerance = 0.02

  @Test(arguments: correlated)
  func guidanceByTheJacobianDrawsFromThePosterior(_ problem: Problem) throws {
    let process = DiscreteProcess(schedule: try .linear())
    let method = try PseudoinverseGuidance(
      process: process, sampler: try EDMSampler(process: process, steps: 100), spread: .jacobian(iterations: 30),
      clipsOriginal: false)
    let distance = try measure(problem, method, process: process, isLinear: true)
    #expect(distance.mean < Self.tolerance && distance.covariance < Self.tolerance, "\(distance)")
  }

  @Test(arguments: white)
  func guidanceDrawsFromThePosteriorOfUncorrelatedData(_ problem: Problem) throws {
    let process = DiscreteProcess(schedule: try .linear())
    let method = try PseudoinverseGuidance(
      process: process, sampler: try EDMSampler(process: process, steps: 100), spread: .isotropic(sigmaData: 0.5),
      clipsOriginal: false)
    let distance = try measure(problem, method, process: process, isLinear: true)
    #expect(distance.mean < Self.tolerance && distance.covariance < Self.tolerance, "\(distance)")
  }

  struct Bias: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let problem: Problem
    /// The bounds of the distances, somewhat above the values in the method's docstring.
    let (mean, covariance): (Double, Double)
    let change: @Sendable (inout RestorationSettings) -> Void
  }

  static let biases: [Bias] = [
    Bias(testDescription: "pigdm", problem: masked, mean: 0.12, covariance: 0.13) {
      $0.steps = 100
      $0.sigmaData = 0.5
    },
    Bias(testDescription: "pigdm with noise", problem: maskedWithNoise, mean: 0.12, covariance: 0.13) {
      $0.steps = 100
      $0.sigmaData = 0.5
    },
    Bias(testDescription: "imputation", problem: masked, mean: 0.25, covariance: 0.4) { $0.name = .imputation },
    Bias(testDescription: "repaint", problem: masked, mean: 0.08, covariance: 0.1) {
      $0.name = .repaint
      $0.steps = 100
      $0.jumpLength = 1
    },
    Bias(testDescription: "dps", problem: masked, mean: 0.25, covariance: 0.2) {
      $0.name = .dps
      $0.scale = 0.3
    },
    Bias(testDescription: "dps with noise", problem: maskedWithNoise, mean: 0.25, covariance: 0.2) {
      $0.name = .dps
      $0.scale = 0.3
    },
  ]

  /// The others do not, and say how far they are off. All are far closer than the prior.
  @Test(arguments: biases)
  func theBiasOfAMethodIsAsStated(_ test: Bias) throws {
    let process = DiscreteProcess(schedule: try .linear())
    var settings = RestorationSettings()
    settings.clipsOriginal = false
    test.change(&settings)
    let distance = try measure(test.problem, try settings.method(for: process), process: process)
    #expect(distance.mean < test.mean && distance.covariance < test.covariance, "\(distance)")
    let prior = try Distance(test.problem.data.draw(Self.draws, seed: 5), test.problem)
    #expect(prior.mean > 2 * distance.mean && prior.covariance > 2 * distance.covariance, "\(prior)")
  }

  /// SDEdit draws from no posterior, but from p(x_0 | x_t), where x_t is the guide with the noise of the time t at which it
  /// begins.
  @Test func editsAreDrawnGivenTheNoisyGuide() throws {
    let process = DiscreteProcess(schedule: try .linear())
    let data = Self.masked.data
    var settings = RestorationSettings()
    settings.name = .sdedit
    settings.strength = 0.2
    settings.clipsOriginal = false
    let guide = data.draw(1, seed: 12)
    let guides = try Measurement(
      guide.images(Array(repeating: 0, count: Self.draws)), of: try ChannelsOperator(allOf: data.imageShape))
    let images = try settings.method(for: process).restore(
      guides, from: normals([Self.draws] + data.imageShape, seed: 3),
      denoiser: CorrelatedDenoiser(data: data, process: process), noise: SamplerNoise(seed: 3), progress: nil
    ).images
    // The first of the last 50 of 250 steps.
    let start = process.marginal(at: Double(try StepSpacing.linspace.steps(settings.steps, of: 1000)[49]))
    let (alpha, sigma) = (start.signal, start.sigma)
    func gain(_ eigenvalue: Double) -> Double { alpha * eigenvalue / (alpha * alpha * eigenvalue + sigma * sigma) }
    let prior = DoubleTensor(repeating: data.mean, shape: guide.shape)
    let change = data.matrix { alpha * gain($0) } * DoubleTensor(guide - prior)
    let expected = DoubleTensor(prior + change)
    // That of the noise in x_t, and that of images given x_t.
    let spread = data.matrix { gain($0) * gain($0) * sigma * sigma + gain($0) * sigma * sigma / alpha }
    let (mean, covariance) = SquareMatrix.moments(images)
    let square = zip(mean, expected.elements).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    // 4,096 draws leave up to 0.03 and 0.08 uncertain, and 250 steps have a bias of 0.01. Draws from the prior would have
    // 0.4 and 0.6.
    #expect((square / spread.trace).squareRoot() < 0.04)
    #expect((covariance - spread).norm / spread.norm < 0.1)
  }
}
