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
      let original = estimate.original(clipped: clipsOriginal)
      let transition = respaced.transition(to: index)
      let posterior = transition.posterior
      let mean = posterior.original * original + posterior.noisy * x
      if index == 0 {
        x = DoubleTensor(mean)
      } else {
        let z = noise.draw(like: x, step: visited[index])
        x = add(z, to: mean, transition, LogVarianceBounds(respaced, step: index), estimate.variance)
      }
      progress?(SamplerStep(done + 1, x, transition.earlier))
    }
    return Samples(images: x, evaluations: evaluator.evaluations)
  }

  private func add(
    _ z: DoubleTensor, to mean: LinearCombination, _ transition: Transition, _ bounds: LogVarianceBounds,
    _ learned: DoubleTensor?
  ) -> DoubleTensor {
    guard variance.isLearned else {
      let square = variance == .small ? transition.posterior.variance : transition.variance
      return DoubleTensor(mean + square.squareRoot() * z)
    }
    var x = DoubleTensor(mean)
    for element in x.elements.indices {
      let logVariance = bounds.logVariance(variance, output: learned?.elements[element])
      x.elements[element] += .exp(logVariance / 2) * z.elements[element]
    }
    return x
  }
}
