import RealModule

/// Reverses a discrete process step by step with fresh noise (Ho, Jain, Abbeel, arXiv:2006.11239, algorithm 2): x_{t−1}
/// is drawn from q(x_{t−1} | x_t, x̂_0).
package struct AncestralSampler: Sampler {
  /// The steps that are visited, ascending.
  package let visited: [Int]
  package let variance: ReverseVariance
  /// Whether x̂_0 is clamped to [−1, 1], the range of images.
  package let clipsOriginal: Bool
  private let respaced: DiscreteProcess

  /// - Parameters:
  ///   - process: the process that the denoiser was trained for.
  ///   - visited: the steps to visit, ascending; by default all.
  package init(
    process: DiscreteProcess, visiting visited: [Int]? = nil, variance: ReverseVariance = .large,
    clipsOriginal: Bool = true
  ) {
    self.visited = visited ?? Array(0..<process.steps)
    self.variance = variance
    self.clipsOriginal = clipsOriginal
    respaced = process.respaced(keeping: self.visited)
  }

  package var stepCount: Int? { visited.count }

  package func sample(
    from latents: DoubleTensor, denoiser: some Denoiser, noise: SamplerNoise, progress: ((SamplerStep) -> Void)? = nil
  ) throws -> Samples {
    var evaluator = Evaluator(denoiser)
    var x = DoubleTensor(respaced.priorSigma * latents)
    for (done, index) in visited.indices.reversed().enumerated() {
      let estimate = try evaluator.estimate(x, at: Double(visited[index]))
      let step = AncestralStep(respaced, index: index, variance: variance, clipsOriginal: clipsOriginal)
      x = step(x, estimate, adding: index == 0 ? nil : noise.draw(like: x, step: visited[index]))
      progress?(SamplerStep(done + 1, x, step.earlier))
    }
    return Samples(images: x, evaluations: evaluator.evaluations)
  }
}

/// A step of ancestral sampling: x_{t−1} from x_t and the estimate of the image.
struct AncestralStep {
  private let transition: Transition
  private let bounds: LogVarianceBounds
  private let variance: ReverseVariance
  private let clipsOriginal: Bool

  /// - Parameters:
  ///   - process: the process of the visited steps alone.
  ///   - index: the step.
  init(_ process: DiscreteProcess, index: Int, variance: ReverseVariance, clipsOriginal: Bool) {
    transition = process.transition(to: index)
    bounds = LogVarianceBounds(process, step: index)
    self.variance = variance
    self.clipsOriginal = clipsOriginal
  }

  /// The marginal of x_{t−1}.
  var earlier: Marginal { transition.earlier }

  /// - Parameter z: the noise to add; nil for the last step, which has none.
  func callAsFunction(_ x: DoubleTensor, _ estimate: Estimate, adding z: DoubleTensor?) -> DoubleTensor {
    var x = transition.draw(
      x, original: estimate.original(clipped: clipsOriginal), variance: variance, adding: variance.isLearned ? nil : z)
    guard variance.isLearned, let z else { return x }
    for element in x.elements.indices {
      let logVariance = bounds.logVariance(variance, output: estimate.variance?.elements[element])
      x.elements[element] += .exp(logVariance / 2) * z.elements[element]
    }
    return x
  }
}

extension Transition {
  /// A draw of x_s given x_t and the image.
  /// - Parameters:
  ///   - variance: `small` or `large`; not read without noise.
  ///   - z: the noise to add; nil for the last step, which has none.
  func draw(
    _ x: DoubleTensor, original: DoubleTensor, variance: ReverseVariance, adding z: DoubleTensor?
  ) -> DoubleTensor {
    let posterior = posterior
    let mean = posterior.original * original + posterior.noisy * x
    guard let z else { return DoubleTensor(mean) }
    let square = variance == .small ? posterior.variance : self.variance
    return DoubleTensor(mean + square.squareRoot() * z)
  }
}
