/// The samplers, with the names used by `sampling.sampler`.
package enum SamplerName: String, Sendable, CaseIterable {
  case ddpm
  case ddim
  case eulerMaruyama = "euler-maruyama"
  case predictorCorrector = "predictor-corrector"
  case langevin
  case odeEuler = "ode-euler"
  case odeHeun = "ode-heun"
  case odeRungeKutta4 = "ode-rk4"
  case odeAdaptive = "ode-rk45"
  case dpmSolver = "dpm-solver++"
  case edm

  /// A one-line description for users.
  package var summary: String {
    switch self {
    case .ddpm: "ancestral sampling: each step samples the reverse process"
    case .ddim: "implicit models: --eta 0 is deterministic, 1 adds as much noise as ddpm"
    case .eulerMaruyama: "Euler-Maruyama steps of the reverse stochastic equation"
    case .predictorCorrector: "a Langevin step, then a reverse diffusion step, at each time"
    case .langevin: "annealed Langevin dynamics: Langevin steps at decreasing noise"
    case .odeEuler: "the probability-flow equation by Euler's method"
    case .odeHeun: "the probability-flow equation by Heun's method"
    case .odeRungeKutta4: "the probability-flow equation by the classical Runge-Kutta method"
    case .odeAdaptive: "the probability-flow equation by Runge-Kutta 5(4), with adaptive steps"
    case .dpmSolver: "DPM-Solver++(2M): exact linear part, extrapolated images"
    case .edm: "Heun's method in the noise level, optionally with added noise"
    }
  }

  /// The order of convergence; nil for samplers that add noise.
  package var order: Int? {
    switch self {
    case .ddpm, .eulerMaruyama, .predictorCorrector, .langevin: nil
    case .ddim, .odeEuler: 1
    case .odeHeun, .dpmSolver, .edm: 2
    case .odeRungeKutta4: 4
    case .odeAdaptive: 5
    }
  }

  package var source: String {
    switch self {
    case .ddpm: "Ho et al. 2020, arXiv:2006.11239"
    case .ddim: "Song, Meng, Ermon 2020, arXiv:2010.02502"
    case .eulerMaruyama, .predictorCorrector, .odeEuler, .odeHeun, .odeRungeKutta4, .odeAdaptive:
      "Song et al. 2020, arXiv:2011.13456"
    case .langevin: "Song, Ermon 2019, arXiv:1907.05600"
    case .dpmSolver: "Lu et al. 2022, arXiv:2211.01095"
    case .edm: "Karras et al. 2022, arXiv:2206.00364"
    }
  }

  /// Network evaluations per step; nil if it depends on the images.
  package var evaluationsPerStep: Int? {
    switch self {
    case .ddpm, .ddim, .eulerMaruyama, .langevin, .odeEuler, .dpmSolver: 1
    case .predictorCorrector, .odeHeun, .edm: 2
    case .odeRungeKutta4: 4
    case .odeAdaptive: nil
    }
  }

  /// The options that apply to it.
  package var options: Set<SamplerOption> {
    switch self {
    case .ddpm: [.steps, .spacing, .variance]
    case .ddim: [.steps, .spacing, .eta]
    case .eulerMaruyama, .odeEuler, .odeHeun, .odeRungeKutta4: [.steps]
    case .predictorCorrector, .langevin: [.steps, .corrections, .signalToNoise]
    case .odeAdaptive: [.tolerance]
    case .dpmSolver: [.steps, .spacing]
    case .edm: [.steps, .churn, .churnMin, .churnMax, .churnInflation]
    }
  }

  /// Whether it visits the steps of a discrete process.
  var needsDiscreteProcess: Bool { self == .ddpm || self == .ddim }

  /// The default for processes of a kind: those in discrete steps, those with σ as time, and others in continuous time.
  package static func usual(isDiscrete: Bool, timeIsSigma: Bool) -> SamplerName {
    isDiscrete ? .ddpm : timeIsSigma ? .edm : .eulerMaruyama
  }
}

/// The options of samplers, named like the keys of `sampling`.
package enum SamplerOption: String, Sendable, CaseIterable {
  case steps
  case eta
  case spacing
  case corrections
  case signalToNoise = "snr"
  case tolerance
  case churn
  case churnMin = "churn_min"
  case churnMax = "churn_max"
  case churnInflation = "churn_noise"
  case variance
}
