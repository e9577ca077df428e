/// What a network predicts, given x_t = α·x_0 + σ·ε. All predictions are equivalent; `Reading` converts between them.
package enum Prediction: String, Sendable, CaseIterable {
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
package struct Reading: Sendable, Equatable {
  /// The factors of x_t and of the network's output.
  package struct Factors: Sendable, Equatable {
    package let noisy: Double
    package let output: Double
  }

  package let original: Factors
  package let noise: Factors
}

extension Reading {
  /// - Parameters:
  ///   - marginal: α and σ of x_t; σ above 0.
  ///   - posterior: q(x_{t−1} | x_t, x_0), for `mean`.
  init(_ prediction: Prediction, at marginal: Marginal, posterior: @autoclosure () -> Transition.Posterior) {
    let (alpha, sigma) = (marginal.signal, marginal.sigma)
    switch prediction {
    case .noise:
      self.init(
        original: Factors(noisy: 1 / alpha, output: -sigma / alpha), noise: Factors(noisy: 0, output: 1))
    case .score:
      self.init(
        original: Factors(noisy: 1 / alpha, output: sigma * sigma / alpha), noise: Factors(noisy: 0, output: -sigma))
    case .data: self.init(original: Factors(noisy: 0, output: 1), at: marginal)
    case .velocity:
      let square = alpha * alpha + sigma * sigma
      self.init(
        original: Factors(noisy: alpha / square, output: -sigma / square),
        noise: Factors(noisy: sigma / square, output: alpha / square))
    case .mean:
      let posterior = posterior()
      self.init(
        original: Factors(noisy: -posterior.noisy / posterior.original, output: 1 / posterior.original), at: marginal)
    }
  }

  /// x̂_0 = c_skip·x + c_out·F with c_skip = σ_d²/(σ² + σ_d²) and c_out = σ·σ_d/√(σ² + σ_d²) (Karras et al.,
  /// arXiv:2206.00364, table 1), for x = x_0 + σ·ε.
  init(preconditionedFor data: Double, at marginal: Marginal) {
    let (signal, sigma) = (marginal.signal, marginal.sigma)
    let square = signal * signal * data * data + sigma * sigma
    let skip = signal * data * data / square
    self.init(original: Factors(noisy: skip, output: sigma * data / square.squareRoot()), at: marginal)
  }

  /// Completes the factors for the image.
  private init(original: Factors, at marginal: Marginal) {
    let (alpha, sigma) = (marginal.signal, marginal.sigma)
    self.init(
      original: original,
      noise: Factors(noisy: (1 - alpha * original.noisy) / sigma, output: -alpha * original.output / sigma))
  }
}

extension Prediction {
  /// The network's target in training, as factors of x_0 and of ε.
  /// - Parameter posterior: q(x_{t−1} | x_t, x_0), for `mean`.
  func target(
    at marginal: Marginal, posterior: @autoclosure () -> Transition.Posterior
  ) -> (original: Double, noise: Double) {
    let (alpha, sigma) = (marginal.signal, marginal.sigma)
    switch self {
    case .noise: return (0, 1)
    case .data: return (1, 0)
    case .velocity: return (-sigma, alpha)
    case .score: return (0, -1 / sigma)
    case .mean:
      let posterior = posterior()
      return (posterior.original + posterior.noisy * alpha, posterior.noisy * sigma)
    }
  }
}
