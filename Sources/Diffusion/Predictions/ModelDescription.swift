/// What a network was trained for: how its input is computed and its output interpreted.
package struct ModelDescription: Sendable {
  package let process: any ForwardProcess
  package let parametrisation: Parametrisation
  /// The variance of the reverse steps of a discrete process. If it is learned, the second half of the output's
  /// channels predicts it.
  package let variance: ReverseVariance
  package let timeSignal: TimeSignal
  /// Whether x_t is rescaled to the variance of data in processes whose signal factor α stays 1.
  package let scalesInput: Bool

  /// How the network's time input is computed.
  package enum TimeSignal: Sendable {
    /// `ForwardProcess.networkTime`.
    case linear
    /// `ForwardProcess.logarithmicNetworkTime`.
    case logarithmic
  }

  package enum Parametrisation: Sendable, Equatable {
    case prediction(Prediction)
    /// The preconditioning of Karras et al., arXiv:2206.00364, table 1, for data of this standard deviation.
    case preconditioned(sigmaData: Double)
  }

  package init(
    process: any ForwardProcess, parametrisation: Parametrisation, variance: ReverseVariance = .large,
    timeSignal: TimeSignal = .linear, scalesInput: Bool = true
  ) {
    self.process = process
    self.parametrisation = parametrisation
    self.variance = variance
    self.timeSignal = timeSignal
    self.scalesInput = scalesInput
  }

  /// The input scaling and time input of a classifier for noisy images of this process. They do not depend on the
  /// model's own settings, since a classifier is trained separately and guides any model of the process.
  package var ofClassifier: ModelDescription {
    let isPreconditioned = if case .preconditioned = parametrisation { true } else { false }
    return ModelDescription(
      process: process, parametrisation: isPreconditioned ? parametrisation : .prediction(.noise))
  }

  /// The network's time input.
  package func networkTime(at time: Double) -> Double {
    switch timeSignal {
    case .linear: process.networkTime(at: time)
    case .logarithmic: process.logarithmicNetworkTime(at: time)
    }
  }

  /// The factor that x_t is multiplied by before it enters the network. Where α stays 1, it rescales the sum to the
  /// variance of data, if `scalesInput`; other processes keep the variance bounded by themselves.
  package func inputScale(at time: Double) -> Double {
    let marginal = process.marginal(at: time)
    func toUnit(_ signal: Double) -> Double {
      1 / (signal * signal + marginal.sigma * marginal.sigma).squareRoot()
    }
    switch parametrisation {
    case .preconditioned(let data): return toUnit(marginal.signal * data)
    case .prediction: return scalesInput && addsOnly ? toUnit(marginal.signal) : 1
    }
  }

  /// Whether α stays 1.
  private var addsOnly: Bool { process.marginal(at: process.times.upperBound).signal == 1 }

  /// How x̂_0 and ε̂ are computed from the output.
  package func reading(at time: Double) -> Reading {
    let marginal = process.marginal(at: time)
    switch parametrisation {
    case .prediction(let prediction):
      return Reading(prediction, at: marginal, posterior: posterior(at: time))
    case .preconditioned(let data): return Reading(preconditionedFor: data, at: marginal)
    }
  }

  /// The target of the output, as factors of x_0 and ε.
  package func target(at time: Double) -> (original: Double, noise: Double) {
    let marginal = process.marginal(at: time)
    switch parametrisation {
    case .prediction(let prediction): return prediction.target(at: marginal, posterior: posterior(at: time))
    case .preconditioned:
      // x_0 = skip·(α·x_0 + σ·ε) + out·F, solved for F.
      let original = reading(at: time).original
      return (
        (1 - original.noisy * marginal.signal) / original.output, -original.noisy * marginal.sigma / original.output
      )
    }
  }

  /// q(x_{t−1} | x_t, x_0) for the step at a time.
  private func posterior(at time: Double) -> Transition.Posterior {
    guard let discrete = process.discrete else {
      preconditionFailure("only discrete processes have steps")
    }
    return discrete.transition(to: Int(time.rounded())).posterior
  }
}
