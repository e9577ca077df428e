import RealModule

/// q(x_t | x_0) = N(signal·x_0, sigma²·I): the remaining signal of an image at some time, and the noise on it.
package struct Marginal: Sendable, Equatable {
  /// α_t.
  package let signal: Double
  /// σ_t.
  package let sigma: Double

  package init(signal: Double, sigma: Double) {
    self.signal = signal
    self.sigma = sigma
  }

  /// The image itself.
  package static let clean = Marginal(signal: 1, sigma: 0)

  /// α_t² / σ_t².
  package var signalToNoise: Double { signal * signal / (sigma * sigma) }
  /// σ_t / α_t, the noise on x_t/α_t.
  package var noiseToSignal: Double { sigma / signal }
  /// λ_t = log(α_t / σ_t), half the logarithm of the signal-to-noise ratio.
  package var halfLogSignalToNoise: Double { .log(signal / sigma) }
}

/// The transition from a time s to a later time t of a process, and its inverse. It follows from the two marginals
/// alone, since everything is Gaussian and linear (Kingma, Salimans, Poole, Ho: "Variational diffusion models",
/// arXiv:2107.00630, appendix A).
package struct Transition: Sendable, Equatable {
  package let earlier: Marginal
  package let later: Marginal

  /// q(x_t | x_s) = N(ratio·x_s, variance·I): α_t / α_s, √α_t of the discrete process with s = t − 1.
  package let ratio: Double
  /// σ_t² − ratio²·σ_s², the β_t of the discrete process with s = t − 1.
  package let variance: Double

  /// q(x_s | x_t, x_0) = N(original·x_0 + noisy·x_t, variance·I).
  package struct Posterior: Sendable, Equatable {
    package let original: Double
    package let noisy: Double
    package let variance: Double
  }

  /// The distribution of x_s given x_t and the image (for s = t − 1: Ho, Jain, Abbeel, arXiv:2006.11239, equations 6
  /// and 7). If s has no noise, it is exactly the image.
  package var posterior: Posterior {
    if earlier.sigma == 0 { return Posterior(original: earlier.signal, noisy: 0, variance: 0) }
    let (before, after) = (earlier.sigma * earlier.sigma, later.sigma * later.sigma)
    return Posterior(
      original: earlier.signal * variance / after, noisy: ratio * before / after, variance: variance * before / after)
  }
}

extension Transition {
  init(from earlier: Marginal, to later: Marginal) {
    let ratio = later.signal / earlier.signal
    let kept = ratio * earlier.sigma
    self.init(earlier: earlier, later: later, ratio: ratio, variance: (later.sigma - kept) * (later.sigma + kept))
  }
}
