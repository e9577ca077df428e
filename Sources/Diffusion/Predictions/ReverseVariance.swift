import RealModule

/// The variance of a reverse step of a discrete process.
public enum ReverseVariance: String, Sendable, CaseIterable {
  /// β̃_t, right for data that is a single point (Ho, Jain, Abbeel, arXiv:2006.11239, section 3.2).
  case small
  /// β_t, right for standard normal data.
  case large
  /// The network's, between the two (Nichol, Dhariwal, arXiv:2102.09672, equation 15).
  case learnedRange = "learned-range"
  /// The network's, whatever it says.
  case learned

  /// Whether a second half of the network's channels tells it.
  public var isLearned: Bool { self == .learnedRange || self == .learned }
}

/// A network's word on the variance of the reverse step, for every element.
public enum LearnedVariance: Sendable {
  /// v between −1 and 1: log σ² = ½(1 + v)·log β_t + ½(1 − v)·log β̃_t (Nichol, Dhariwal, arXiv:2102.09672, equation 15).
  case range(DoubleTensor)
  /// log σ² itself.
  case logarithm(DoubleTensor)

  /// - Parameter variance: which of the learned ones it is.
  init(_ values: DoubleTensor, as variance: ReverseVariance) {
    self = variance == .learnedRange ? .range(values) : .logarithm(values)
  }
}

/// log β̃_t and log β_t of a reverse step.
struct LogVarianceBounds {
  let small: Double
  let large: Double

  /// The first step's β̃ is zero; it takes the next step's, as Ho et al.'s program does.
  init(_ process: DiscreteProcess, step: Int) {
    let transition = process.transition(to: step)
    let known = step == 0 && process.steps > 1 ? process.transition(to: 1) : transition
    large = .log(transition.variance)
    small = known.posterior.variance > 0 ? .log(known.posterior.variance) : large
  }

  /// log σ² for v between −1 and 1.
  func logVariance(range v: Double) -> Double { ((1 + v) * large + (1 - v) * small) / 2 }

  /// log σ² of one element.
  func logVariance(_ variance: ReverseVariance, _ learned: LearnedVariance?, element: Int) -> Double {
    switch (variance, learned) {
    case (.small, _): small
    case (.large, _): large
    case (_, .range(let values)): logVariance(range: values.elements[element])
    case (_, .logarithm(let values)): values.elements[element]
    case (_, nil): preconditionFailure("this denoiser does not tell a variance")
    }
  }
}
