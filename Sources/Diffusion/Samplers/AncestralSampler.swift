import Glibc

/// Walks a discrete process backwards, step by step, with fresh noise (Ho, Jain, Abbeel, arXiv:2006.11239, algorithm 2):
/// x_{t−1} is drawn from q(x_{t−1} | x_t, x̂_0).
public struct AncestralSampler: Sampler {
  /// The variance of a reverse step.
  public enum Variance: String, Sendable, CaseIterable {
    /// β̃_t, right for data that is a single point (Ho et al., section 3.2).
    case small
    /// β_t, right for standard normal data.
    case large
    /// The network's, between the two (Nichol, Dhariwal, arXiv:2102.09672, equation 15).
    case learnedRange = "learned-range"
    /// The network's.
    case learned
  }

  /// The steps that are visited, ascending.
  public let visited: [Int]
  public let variance: Variance
  /// Whether x̂_0 is kept within [−1, 1], the range of images.
  public let clipsOriginal: Bool
  private let respaced: DiscreteProcess

  /// - Parameters:
  ///   - process: the process that the denoiser was trained for.
  ///   - visited: the steps to visit, ascending; by default all.
  public init(
    process: DiscreteProcess, visiting visited: [Int]? = nil, variance: Variance = .large, clipsOriginal: Bool = true
  ) {
    self.visited = visited ?? Array(0..<process.steps)
    self.variance = variance
    self.clipsOriginal = clipsOriginal
    respaced = process.respaced(keeping: self.visited)
  }

  public var stepCount: Int? { visited.count }

  public func sample(
    from latents: DoubleTensor, denoiser: some Denoiser, noise: SamplerNoise, progress: ((Int) -> Void)? = nil
  ) throws -> Samples {
    var evaluator = Evaluator(denoiser)
    var x = DoubleTensor.sum((respaced.priorDeviation, latents))
    for (done, index) in visited.indices.reversed().enumerated() {
      let estimate = try evaluator.estimate(x, at: Double(visited[index]))
      let original = clipsOriginal ? estimate.original.clamped(to: -1...1) : estimate.original
      let transition = respaced.transition(to: index)
      let posterior = transition.posterior
      let mean = DoubleTensor.sum((posterior.original, original), (posterior.noisy, x))
      x = mean
      if index > 0 {
        let added = noise.draw(like: x, step: visited[index])
        let deviations = reverseDeviations(transition, estimate.variance)
        switch deviations {
        case .same(let deviation): x = .sum((1, mean), (deviation, added))
        case .each(let values):
          for element in x.elements.indices { x.elements[element] += values[element] * added.elements[element] }
        }
      }
      progress?(done + 1)
    }
    return Samples(images: x, evaluations: evaluator.evaluations)
  }

  private enum Deviations {
    case same(Double)
    case each([Double])
  }

  private func reverseDeviations(_ transition: Transition, _ learned: LearnedVariance?) -> Deviations {
    switch variance {
    case .small: .same(transition.posterior.variance.squareRoot())
    case .large: .same(transition.variance.squareRoot())
    case .learnedRange, .learned:
      .each(ReverseVariance.logarithms(learned, transition).map { exp($0 / 2) })
    }
  }
}

/// log σ² of a reverse step, from what a network says.
enum ReverseVariance {
  /// - Parameter firstStepBound: what takes the place of β̃ at the first step, where it is zero; by default β.
  static func logarithms(
    _ learned: LearnedVariance?, _ transition: Transition, firstStepBound: Double? = nil
  ) -> [Double] {
    switch learned {
    case .logarithm(let values): return values.elements
    case .range(let values):
      let small = transition.posterior.variance
      let low = log(small > 0 ? small : firstStepBound ?? transition.variance)
      let high = log(transition.variance)
      return values.elements.map { (1 + $0) / 2 * high + (1 - $0) / 2 * low }
    case nil: preconditionFailure("this denoiser does not tell a variance")
    }
  }
}
