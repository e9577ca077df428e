/// The samplers by the names that the command line has for them.
public enum SamplerName: String, Sendable, CaseIterable {
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

  /// One line for people.
  public var summary: String {
    switch self {
    case .ddpm: "ancestral sampling: each step draws from the reverse process"
    case .ddim: "implicit models: --eta 0 is deterministic, 1 adds as much noise as ddpm"
    case .eulerMaruyama: "Euler-Maruyama steps of the reverse stochastic equation"
    case .predictorCorrector: "a Langevin step, then a reverse diffusion step, at each time"
    case .langevin: "annealed Langevin dynamics: Langevin steps at falling noise"
    case .odeEuler: "the probability-flow equation by Euler's method"
    case .odeHeun: "the probability-flow equation by Heun's method"
    case .odeRungeKutta4: "the probability-flow equation by the classical Runge-Kutta method"
    case .odeAdaptive: "the probability-flow equation by Runge-Kutta 5(4), steps chosen by the error"
    case .dpmSolver: "DPM-Solver++(2M): the linear part exactly, images extrapolated"
    case .edm: "Heun's method in the noise level, with noise added on the way if wanted"
    }
  }

  /// The power of the step's length with which the error falls; nil for samplers that add noise.
  public var order: Int? {
    switch self {
    case .ddpm, .eulerMaruyama, .predictorCorrector, .langevin: nil
    case .ddim, .odeEuler: 1
    case .odeHeun, .dpmSolver, .edm: 2
    case .odeRungeKutta4: 4
    case .odeAdaptive: 5
    }
  }

  public var source: String {
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

  /// Evaluations of the network per step; nil where the images decide.
  public var evaluationsPerStep: Int? {
    switch self {
    case .ddpm, .ddim, .eulerMaruyama, .langevin, .odeEuler, .dpmSolver: 1
    case .predictorCorrector, .odeHeun, .edm: 2
    case .odeRungeKutta4: 4
    case .odeAdaptive: nil
    }
  }

  /// What may be chosen about it.
  public var options: Set<SamplerOption> {
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

  /// Whether it goes from step to step of a discrete process.
  var needsDiscreteProcess: Bool { self == .ddpm || self == .ddim }
}

/// What may be chosen about samplers, by the names that the command line has for it.
public enum SamplerOption: String, Sendable, CaseIterable {
  case steps
  case eta
  case spacing
  case corrections
  case signalToNoise = "snr"
  case tolerance
  case churn
  case churnMin = "churn-min"
  case churnMax = "churn-max"
  case churnInflation = "churn-noise"
  case variance

  /// - Parameter isDiscrete: whether the process has steps, some of which are visited.
  /// - Throws: `DiffusionError` if a sampler does not read it, with those that do.
  func check(_ name: SamplerName, isDiscrete: Bool) throws(DiffusionError) {
    guard name.options.contains(self) else {
      let readers = SamplerName.allCases.filter { $0.options.contains(self) }.map(\.rawValue)
      let reason = self == .steps ? ", which chooses its steps by the error" : ""
      throw DiffusionError(
        key: rawValue,
        problem: "it is not for the sampler \(name.rawValue)\(reason), but for \(readers.joined(separator: ", "))")
    }
    guard self != .spacing || isDiscrete else {
      throw DiffusionError(key: rawValue, problem: "it is for discrete processes; this model's is continuous")
    }
  }
}

/// A sampler's name, and what may be chosen about it.
public struct SamplerSettings: Sendable {
  public var name = SamplerName.ddpm
  /// Not for `ode-rk45`, which has a tolerance instead.
  public var steps = 250
  /// Of `ddim`.
  public var eta = 0.0
  /// Which steps of a discrete process are visited.
  public var spacing = StepSpacing.linspace
  /// Of `ddpm`.
  public var variance = ReverseVariance.large
  /// Whether x̂_0 is kept within [−1, 1].
  public var clipsOriginal = true
  /// Of `predictor-corrector` and `langevin`.
  public var corrections = 1
  public var signalToNoise = 0.16
  /// Of `ode-rk45`, relative and absolute.
  public var tolerance = 1e-5
  /// Of `edm`.
  public var churn = EDMSampler.Churn()

  public init() {}

  /// Checks that what was chosen is read: a choice without effect would be a mistake that nobody sees.
  /// - Parameters:
  ///   - chosen: the options that someone has set, beside the defaults.
  ///   - process: the model's.
  /// - Throws: `DiffusionError`, which names the option.
  public func checkAllAreRead(_ chosen: [SamplerOption], process: any ForwardProcess) throws(DiffusionError) {
    for option in chosen { try option.check(name, isDiscrete: process.discrete != nil) }
    for option in [SamplerOption.churnMin, .churnMax, .churnInflation] where chosen.contains(option) {
      guard churn.amount != 0 else {
        throw DiffusionError(key: option.rawValue, problem: "no noise is added without --churn above 0")
      }
    }
    if chosen.contains(.signalToNoise), corrections == 0 {
      throw DiffusionError(key: "snr", problem: "there are no Langevin steps with --corrections 0")
    }
  }

  /// Whether the denoiser has to do the clipping: `ddpm` and `ddim` do it themselves, with the noise left as it was
  /// predicted.
  public var clipsInDenoiser: Bool { clipsOriginal && !name.needsDiscreteProcess }

  /// The sampler, for models of a process.
  /// - Throws: `DiffusionError` for what cannot work, with what would.
  public func sampler(for process: any ForwardProcess) throws(DiffusionError) -> any Sampler {
    switch name {
    case .ddpm:
      let (discrete, visited) = try visitedSteps(of: process)
      return AncestralSampler(process: discrete, visiting: visited, variance: variance, clipsOriginal: clipsOriginal)
    case .ddim:
      let (discrete, visited) = try visitedSteps(of: process)
      return try DDIMSampler(process: discrete, visiting: visited, eta: eta, clipsOriginal: clipsOriginal)
    case .eulerMaruyama: return try EulerMaruyamaSampler(process: process, steps: steps)
    case .predictorCorrector:
      return try PredictorCorrectorSampler(
        process: process, steps: steps, corrections: corrections, signalToNoise: signalToNoise)
    case .langevin:
      return try PredictorCorrectorSampler(
        process: process, steps: steps, corrections: corrections, signalToNoise: signalToNoise, predicts: false)
    case .odeEuler: return try flow(process, .fixed(.euler, steps: steps))
    case .odeHeun: return try flow(process, .fixed(.heun, steps: steps))
    case .odeRungeKutta4: return try flow(process, .fixed(.rungeKutta4, steps: steps))
    case .odeAdaptive: return try flow(process, .adaptive(relative: tolerance, absolute: tolerance))
    case .dpmSolver:
      try requireSteps(steps)
      return try DPMSolverSampler(process: process, times: try times(of: process))
    case .edm: return try EDMSampler(process: process, steps: steps, churn: churn)
    }
  }

  private func flow(
    _ process: any ForwardProcess, _ solver: ProbabilityFlowSampler.Solver
  ) throws(DiffusionError) -> ProbabilityFlowSampler {
    try ProbabilityFlowSampler(process: process, solver: solver)
  }

  private func visitedSteps(of process: any ForwardProcess) throws(DiffusionError) -> (DiscreteProcess, [Int]) {
    guard let discrete = process.discrete else {
      let others = SamplerName.allCases.filter { !$0.needsDiscreteProcess }.map(\.rawValue).joined(separator: ", ")
      throw DiffusionError(
        key: "sampler", problem: "\(name.rawValue) needs a discrete process; this model's is continuous: take \(others)"
      )
    }
    return (discrete, try spacing.steps(steps, of: discrete.steps))
  }

  /// As many times as steps, descending.
  private func times(of process: any ForwardProcess) throws(DiffusionError) -> [Double] {
    if let discrete = process.discrete {
      return try spacing.stepsBeforeImage(steps, of: discrete.steps).reversed().map(Double.init)
    }
    return process.timesBeforeImage(steps: steps)
  }
}
