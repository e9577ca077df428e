import Diffusion
import Tensors
import Testing

/// Guidance with exact parts: the classes are the components of a mixture.
@Suite struct GuidanceTests {
  static let mixture = GaussianMixture([
    .init(weight: 0.25, mean: [0.8, -0.2, 0.1], standardDeviation: 0.2),
    .init(weight: 0.35, mean: [-0.4, 0.5, 0], standardDeviation: 0.3),
    .init(weight: 0.4, mean: [0, -0.6, 0.7], standardDeviation: 0.15),
  ])

  /// Predicts the noise in single precision, as networks do, from scaled images.
  struct ExactNetwork: DiffusionNetwork {
    let process: DiscreteProcess

    private var model: ModelDescription { ModelDescription(process: process, parametrisation: .prediction(.noise)) }

    func scales(_ times: [Float]) -> [Double] { times.map { model.inputScale(at: Double($0)) } }

    func output(_ x: Tensor, times: [Float], conditions: Conditions) -> Tensor {
      let x = DoubleTensor(DoubleTensor(x) / scales(times))
      var noise = DoubleTensor(shape: x.shape)
      for image in 0..<x.imageCount {
        let known = conditions.classes?[image]
        let data = known.map { GaussianMixture([mixture.components[$0].certain]) } ?? mixture
        let estimate = ExactDenoiser(data: data, process: process).estimate(
          x.images([image]), at: [Double(times[image])], images: [0])
        noise.replaceImages([image], with: estimate.noise)
      }
      return noise.single
    }
  }

  struct ExactClassifier: NoisyClassifier {
    let process: DiscreteProcess

    /// ∇ log p(k | x) = ∇ log q(x | k) − ∇ log q(x), each −ε/σ; with respect to the scaled x, divided by the scale.
    func logProbabilityGradient(_ x: Tensor, times: [Float], classes: [Int]) -> Tensor {
      let network = ExactNetwork(process: process)
      let conditions = Conditions(classes: classes)
      let conditional = DoubleTensor(network.output(x, times: times, conditions: conditions))
      let unconditional = DoubleTensor(
        network.output(x, times: times, conditions: conditions.hidden(classes: true, fields: false)))
      let scales = zip(times, network.scales(times)).map { -1 / (process.marginal(at: Double($0)).sigma * $1) }
      return DoubleTensor(scales * (conditional - unconditional)).single
    }
  }

  private func sample(
    _ guidance: Guidance, _ latents: DoubleTensor, process: DiscreteProcess, steps: Int = 40
  ) throws -> DoubleTensor {
    let denoiser = NetworkDenoiser(
      network: ExactNetwork(process: process),
      model: ModelDescription(process: process, parametrisation: .prediction(.noise)), guidance: guidance)
    let sampler = try DDIMSampler(
      process: process, visiting: try StepSpacing.linspace.steps(steps, of: process.steps), clipsOriginal: false)
    return try sampler.sample(from: latents, denoiser: denoiser, noise: SamplerNoise(seed: 1)).images
  }

  static let processes = [
    ProcessTests.Named(testDescription: "vp", process: DiscreteProcess(schedule: try! .linear())),
    ProcessTests.Named(testDescription: "ve", process: try! DiscreteProcess.varianceExploding(steps: 1000)),
  ]

  /// The identity that classifier-free guidance is based on.
  @Test(arguments: processes, [0.0, 0.5, 2])
  func bothKindsOfGuidanceFollowTheSameTrajectory(_ named: ProcessTests.Named, scale: Double) throws {
    let process = named.process.discrete!
    let latents = normals([6, 3], seed: 8)
    let classes = [0, 1, 2, 0, 1, 2]
    let free = try sample(.free(classes, scale: scale), latents, process: process)
    let classifier = ExactClassifier(process: process)
    let guided = try sample(
      .classifier(classifier, classes: classes, scale: scale, modelConditions: Conditions(classes: classes)), latents,
      process: process)
    let guidedWithoutClasses = try sample(
      .classifier(classifier, classes: classes, scale: 1 + scale, modelConditions: .none), latents, process: process)
    // Single precision over 40 steps, with gradients that are differences.
    #expect(largestDifference(free, guided) < 2e-4)
    #expect(largestDifference(free, guidedWithoutClasses) < 2e-4)
  }

  /// Records its inputs.
  final class Listener: NoisyClassifier, @unchecked Sendable {
    var x: [Float] = []
    var times: [Float] = []

    func logProbabilityGradient(_ x: Tensor, times: [Float], classes: [Int]) -> Tensor {
      self.x += x.elements
      self.times += times
      return x
    }
  }

  struct ZeroNetwork: DiffusionNetwork {
    func output(_ x: Tensor, times: [Float], conditions: Conditions) -> Tensor {
      Tensor([Float](repeating: 0, count: x.count), shape: x.shape)
    }
  }

  /// A classifier is trained separately, on scaled images and steps.
  @Test func classifierGetsTheInputsThatItWasTrainedOn() throws {
    let process = try DiscreteProcess.varianceExploding(steps: 1000)
    let model = ModelDescription(
      process: process, parametrisation: .prediction(.noise), timeSignal: .logarithmic, scalesInput: false)
    let listener = Listener()
    let denoiser = NetworkDenoiser(
      network: ZeroNetwork(), model: model,
      guidance: .classifier(listener, classes: [0], scale: 1, modelConditions: .none))
    let x = normals([1, 4], seed: 3)
    let time = 700.0
    let estimate = try denoiser.estimate(x, at: [time], images: [0])
    let sigma = process.marginal(at: time).sigma
    let scale = 1 / (1 + sigma * sigma).squareRoot()
    #expect(listener.times == [Float(process.networkTime(at: time))])
    for (shown, element) in zip(listener.x, x.elements) { #expect(abs(Double(shown) - scale * element) < 1e-6) }
    // The listener's gradient is its input; with respect to x itself it has the factor of the scaling.
    for (noise, element) in zip(estimate.noise.elements, x.elements) {
      #expect(abs(noise + sigma * scale * scale * element) < 1e-6)
    }
  }

  @Test func scaleZeroSamplesTheConditionalDistribution() throws {
    let process = DiscreteProcess(schedule: try .linear())
    let latents = normals([2000, 3], seed: 8)
    let images = try sample(
      .free([Int](repeating: 1, count: 2000), scale: 0), latents, process: process, steps: 500)
    for element in 0..<3 {
      let values = (0..<2000).map { images.elements[$0 * 3 + element] }
      let (mean, variance) = moments(values)
      let component = Self.mixture.components[1]
      #expect(abs(mean - component.mean[element]) < 0.05)
      #expect(abs(variance / (component.standardDeviation * component.standardDeviation) - 1) < 0.2)
    }
  }

  @Test func largerScalesGiveMoreCertainClasses() throws {
    let process = DiscreteProcess(schedule: try .linear())
    let latents = normals([200, 3], seed: 8)
    let shares = try [0.0, 1, 4].map { scale in
      let images = try sample(
        .free([Int](repeating: 1, count: 200), scale: scale), latents, process: process)
      return (0..<200).reduce(0.0) {
        $0
          + Self.mixture.responsibilities(
            images.elements[images.range(ofImage: $1)], at: .init(signal: 1, sigma: 0.3))[1]
      } / 200
    }
    #expect(shares[0] < shares[1] && shares[1] < shares[2])
  }
}

extension Guidance {
  /// Classifier-free guidance towards classes.
  static func free(_ classes: [Int], scale: Double) -> Guidance {
    let conditions = Conditions(classes: classes)
    return .classifierFree(conditions, from: conditions.hidden(classes: true, fields: false), scale: scale)
  }
}

extension GaussianMixture.Component {
  /// The same component as the only one.
  var certain: Self { Self(weight: 1, mean: mean, standardDeviation: standardDeviation) }
}
