/// How images are drawn: a sampler's name and its options.
package struct SamplerSettings: Sendable, Equatable {
  /// nil: the default for the process.
  package var name: SamplerName?
  /// Not used by `ode-rk45`, which has a tolerance instead.
  package var steps = 250
  /// For `ddim`.
  package var eta = 0.0
  /// Which steps of a discrete process are visited.
  package var spacing = StepSpacing.linspace
  /// The variance of the reverse steps of `ddpm`; nil: the one that the model was trained with.
  package var variance: ReverseVariance?
  /// Whether x̂_0 is clamped to [−1, 1].
  package var clipsOriginal = true
  /// For `predictor-corrector` and `langevin`.
  package var corrections = 1
  package var signalToNoise = 0.16
  /// For `ode-rk45`, relative and absolute.
  package var tolerance = ProbabilityFlowSampler.defaultTolerance
  /// For `edm`.
  package var churn = EDMSampler.Churn()
  /// γ, for every sampler: how much more strongly images are guided towards their class; 0 draws from the exact
  /// conditional distribution.
  package var guidance = 0.0

  package init() {}

  /// The sampler that is used for models of a process.
  package func name(for process: any ForwardProcess) -> SamplerName {
    name ?? .usual(isDiscrete: process.discrete != nil, timeIsSigma: process.timeIsSigma)
  }

  /// Whether the denoiser has to do the clipping. `ddpm` and `ddim` clip x̂_0 themselves and keep the predicted noise.
  /// With guidance, however, the predicted noise is larger than the remainder of x beside a clipped image, and `ddim`,
  /// which keeps it, would accumulate it from step to step.
  package func clipsInDenoiser(for process: any ForwardProcess) -> Bool {
    clipsOriginal && (guidance != 0 || !name(for: process).needsDiscreteProcess)
  }

  /// The sampler for models of a process.
  /// - Parameter trained: the reverse variance that the model was trained with.
  /// - Throws: `DiffusionError` for settings that are not possible, saying which are.
  package func sampler(
    for process: any ForwardProcess, variance trained: ReverseVariance = .large
  ) throws(DiffusionError) -> any Sampler {
    func flow(_ solver: ProbabilityFlowSampler.Solver) throws(DiffusionError) -> ProbabilityFlowSampler {
      try ProbabilityFlowSampler(process: process, solver: solver)
    }
    switch name(for: process) {
    case .ddpm:
      let (discrete, visited) = try visitedSteps(of: process)
      return AncestralSampler(
        process: discrete, visiting: visited, variance: try reverseVariance(of: trained), clipsOriginal: clipsOriginal)
    case .ddim:
      let (discrete, visited) = try visitedSteps(of: process)
      return try DDIMSampler(process: discrete, visiting: visited, eta: eta, clipsOriginal: clipsOriginal)
    case .eulerMaruyama: return try EulerMaruyamaSampler(process: process, steps: steps)
    case .predictorCorrector, .langevin:
      return try PredictorCorrectorSampler(
        process: process, steps: steps, corrections: corrections, signalToNoise: signalToNoise,
        predicts: name != .langevin)
    case .odeEuler: return try flow(.fixed(.euler, steps: steps))
    case .odeHeun: return try flow(.fixed(.heun, steps: steps))
    case .odeRungeKutta4: return try flow(.fixed(.rungeKutta4, steps: steps))
    case .odeAdaptive: return try flow(.adaptive(relative: tolerance, absolute: tolerance))
    case .dpmSolver:
      try requireSteps(steps)
      return try DPMSolverSampler(process: process, times: try times(of: process))
    case .edm: return try EDMSampler(process: process, steps: steps, churn: churn)
    }
  }

  /// A learned variance requires a network that was trained to predict it.
  func reverseVariance(of trained: ReverseVariance) throws(DiffusionError) -> ReverseVariance {
    let variance = variance ?? trained
    try require(
      !variance.isLearned || variance == trained, "variance",
      "\(variance.rawValue) needs a model that was trained with diffusion.variance=\(variance.rawValue); "
        + "this model's is \(trained.rawValue)")
    return variance
  }

  private func visitedSteps(of process: any ForwardProcess) throws(DiffusionError) -> (DiscreteProcess, [Int]) {
    guard let discrete = process.discrete else {
      let others = SamplerName.allCases.filter { !$0.needsDiscreteProcess }.map(\.rawValue).joined(separator: ", ")
      throw DiffusionError(
        key: "sampler",
        problem: "\(name(for: process).rawValue) needs a discrete process; this model's is continuous; use \(others)"
      )
    }
    return (discrete, try spacing.steps(steps, of: discrete.steps))
  }

  /// `steps` times, descending.
  private func times(of process: any ForwardProcess) throws(DiffusionError) -> [Double] {
    if let discrete = process.discrete {
      return try spacing.stepsBeforeImage(steps, of: discrete.steps).reversed().map(Double.init)
    }
    return process.timesBeforeImage(steps: steps)
  }
}
