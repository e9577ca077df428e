/// What a network predicts, given x_t = α·x_0 + σ·ε. All predictions are equivalent; `Reading` converts between them.
public enum Prediction: String, Sendable, CaseIterable {
  /// ε (Ho, Jain, Abbeel, arXiv:2006.11239).
  case noise
  /// x_0.
  case data
  /// μ̃, the mean of q(x_{t−1} | x_t, x_0); for discrete processes (Ho et al., equation 8).
  case mean
  /// v = α·ε − σ·x_0 (Salimans, Ho: "Progressive distillation for fast sampling of diffusion models", arXiv:2202.00512,
  /// appendix D).
  case velocity
  /// ∇ log q(x_t) ≈ −ε/σ (Song et al., arXiv:2011.13456).
  case score
}

/// How the image and its noise are computed from a network's prediction at one time: x̂_0 = a·x_t + b·output, and
/// likewise ε̂.
///
/// x_t = α·x̂_0 + σ·ε̂ holds for every prediction.
public struct Reading: Sendable, Equatable {
  /// The factors of x_t and of the network's output.
  public struct Factors: Sendable, Equatable {
    public let noisy: Double
    public let output: Double
  }

  public let original: Factors
  public let noise: Factors

  /// - Parameters:
  ///   - marginal: α and σ of x_t; σ above 0.
  ///   - posterior: q(x_{t−1} | x_t, x_0), for `mean`.
  public init(_ prediction: Prediction, at marginal: Marginal, posterior: Transition.Posterior? = nil) {
    let (alpha, sigma) = (marginal.signal, marginal.sigma)
    func fromOriginal(_ factors: Factors) -> (Factors, Factors) {
      (factors, Factors(noisy: (1 - alpha * factors.noisy) / sigma, output: -alpha * factors.output / sigma))
    }
    switch prediction {
    case .noise:
      original = Factors(noisy: 1 / alpha, output: -sigma / alpha)
      noise = Factors(noisy: 0, output: 1)
    case .score:
      original = Factors(noisy: 1 / alpha, output: sigma * sigma / alpha)
      noise = Factors(noisy: 0, output: -sigma)
    case .data:
      (original, noise) = fromOriginal(Factors(noisy: 0, output: 1))
    case .velocity:
      let square = alpha * alpha + sigma * sigma
      original = Factors(noisy: alpha / square, output: -sigma / square)
      noise = Factors(noisy: sigma / square, output: alpha / square)
    case .mean:
      guard let posterior else { preconditionFailure("the posterior's mean belongs to a step of a discrete process") }
      (original, noise) = fromOriginal(
        Factors(noisy: -posterior.noisy / posterior.original, output: 1 / posterior.original))
    }
  }
}

extension Prediction {
  /// The network's target in training, as factors of x_0 and of ε.
  public func target(at marginal: Marginal, posterior: Transition.Posterior? = nil) -> (original: Double, noise: Double)
  {
    let (alpha, sigma) = (marginal.signal, marginal.sigma)
    switch self {
    case .noise: return (0, 1)
    case .data: return (1, 0)
    case .velocity: return (-sigma, alpha)
    case .score: return (0, -1 / sigma)
    case .mean:
      guard let posterior else { preconditionFailure("the posterior's mean belongs to a step of a discrete process") }
      return (posterior.original + posterior.noisy * alpha, posterior.noisy * sigma)
    }
  }
}
