import RealModule

/// The choices for the variance of a reverse step of a discrete process.
package enum ReverseVariance: String, Sendable, CaseIterable {
  /// β̃_t, optimal for data that is a single point (Ho, Jain, Abbeel, arXiv:2006.11239, section 3.2).
  case small
  /// β_t, optimal for standard normal data.
  case large
  /// Interpolated between the two by the network's output v, from −1 to 1: log σ² = ½(1 + v)·log β_t +
  /// ½(1 − v)·log β̃_t (Nichol, Dhariwal, arXiv:2102.09672, equation 15).
  case learnedRange = "learned-range"
  /// The network's output is log σ² itself.
  case learned

  /// Whether the second half of the network's output channels predicts it.
  package var isLearned: Bool { self == .learnedRange || self == .learned }
}

/// log β̃_t and log β_t of a reverse step.
struct LogVarianceBounds {
  let small: Double
  let large: Double

  /// The first step's β̃ is zero; the next step's is used instead, as in the code of Ho et al.
  init(_ process: DiscreteProcess, step: Int) {
    let transition = process.transition(to: step)
    let known = step == 0 && process.steps > 1 ? process.transition(to: 1) : transition
    large = .log(transition.variance)
    small = known.posterior.variance > 0 ? .log(known.posterior.variance) : large
  }

  /// log σ² of one element.
  /// - Parameter output: the network's output for it, of which only a learned variance depends.
  func logVariance(_ variance: ReverseVariance, output: @autoclosure () -> Double?) -> Double {
    switch variance {
    case .small: return small
    case .large: return large
    case .learnedRange, .learned:
      guard let output = output() else { preconditionFailure("this denoiser does not predict a variance") }
      return variance == .learned ? output : ((1 + output) * large + (1 - output) * small) / 2
    }
  }

  /// The derivative of log σ² with respect to the network's output.
  func slope(_ variance: ReverseVariance) -> Double {
    switch variance {
    case .small, .large: 0
    case .learnedRange: (large - small) / 2
    case .learned: 1
    }
  }
}
