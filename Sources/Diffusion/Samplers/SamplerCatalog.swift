/// The samplers by the names that `sampling.sampler` has for them.
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

  /// The one that suits a process, where nobody chooses another.
  public static func usual(for process: any ForwardProcess) -> SamplerName {
    process.discrete != nil ? .ddpm : process is EDMProcess ? .edm : .eulerMaruyama
  }
}

/// What may be chosen about samplers, called as the keys of `sampling` are.
public enum SamplerOption: String, Sendable, CaseIterable {
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

/// How images are drawn: a sampler's name, and what may be chosen about it.
public struct SamplerSettings: Sendable, Equatable {
  /// `nil`: the one that suits the process.
  public var name: SamplerName?
  /// Not for `ode-rk45`, which has a tolerance instead.
  public var steps = 250
  /// Of `ddim`.
  public var eta = 0.0
  /// Which steps of a discrete process are visited.
  public var spacing = StepSpacing.linspace
  /// Of the reverse steps of `ddpm`; `nil`: what the model was trained with.
  public var variance: ReverseVariance?
  /// Whether x̂_0 is kept within [−1, 1].
  public var clipsOriginal = true
  /// Of `predictor-corrector` and `langevin`.
  public var corrections = 1
  public var signalToNoise = 0.16
  /// Of `ode-rk45`, relative and absolute.
  public var tolerance = 1e-5
  /// Of `edm`.
  public var churn = EDMSampler.Churn()
  /// γ, with every sampler: how much more strongly than they would by themselves images are led to their class; 0 draws
  /// from the exact conditional distribution.
  public var guidance = 0.0

  public init() {}

  /// Which sampler draws from models of a process.
  public func name(for process: any ForwardProcess) -> SamplerName { name ?? .usual(for: process) }

  /// Whether the denoiser has to do the clipping. `ddpm` and `ddim` do it themselves, with the noise left as it was
  /// predicted; but guided noise is more than what is left of x beside a clipped image, and `ddim`, which would keep it as
  /// it is, would have more of it from step to step.
  public func clipsInDenoiser(for process: any ForwardProcess) -> Bool {
    clipsOriginal && (guidance != 0 || !name(for: process).needsDiscreteProcess)
  }

  /// The sampler, for models of a process.
  /// - Parameter trained: the variance of the reverse steps that the model was trained with.
  /// - Throws: `DiffusionError` for what cannot work, with what would.
  public func sampler(
    for process: any ForwardProcess, variance trained: ReverseVariance = .large
  ) throws(DiffusionError) -> any Sampler {
    switch name(for: process) {
    case .ddpm:
      let (discrete, visited) = try visitedSteps(of: process)
      return AncestralSampler(
        process: discrete, visiting: visited, variance: try reverseVariance(of: trained), clipsOriginal: clipsOriginal)
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

  /// A variance can be read only from a network that was trained to tell it.
  private func reverseVariance(of trained: ReverseVariance) throws(DiffusionError) -> ReverseVariance {
    let variance = variance ?? trained
    guard !variance.isLearned || variance == trained else {
      throw DiffusionError(
        key: "variance",
        problem: "\(variance.rawValue) needs a model that was trained with diffusion.variance=\(variance.rawValue); "
          + "this one's is \(trained.rawValue)")
    }
    return variance
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
        key: "sampler",
        problem: "\(name(for: process).rawValue) needs a discrete process; this model's is continuous: take \(others)"
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
