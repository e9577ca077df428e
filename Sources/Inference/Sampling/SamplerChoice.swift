import Configuration
import Diffusion

/// What is asked of a sampler; nil leaves it as the run's configuration says.
public struct SamplerChoice: Sendable {
  /// By default `ddpm`, or for processes in continuous time what suits them.
  public var name: SamplerName?
  /// Sampling steps; by default the run's `sampling.steps`.
  public var steps: Int?
  /// Of `ddim`.
  public var eta: Double?
  /// Which steps of a discrete process are visited.
  public var spacing: StepSpacing?
  /// Langevin steps at each time, and how strong their noise is: of `predictor-corrector` and `langevin`.
  public var corrections: Int?
  public var signalToNoise: Double?
  /// Of `ode-rk45`.
  public var tolerance: Double?
  /// Of `edm`: see `EDMSampler.Churn`.
  public var churn: Double?
  public var churnMin: Double?
  public var churnMax: Double?
  public var churnInflation: Double?
  /// Of the reverse steps of `ddpm`; by default the run's.
  public var variance: ReverseVariance?

  public init() {}

  /// What is asked for.
  private var options: [SamplerOption] {
    let options: [(SamplerOption, Bool)] = [
      (.steps, steps != nil), (.eta, eta != nil), (.spacing, spacing != nil), (.corrections, corrections != nil),
      (.signalToNoise, signalToNoise != nil), (.tolerance, tolerance != nil), (.churn, churn != nil),
      (.churnMin, churnMin != nil), (.churnMax, churnMax != nil), (.churnInflation, churnInflation != nil),
      (.variance, variance != nil),
    ]
    return options.filter(\.1).map(\.0)
  }

  /// The run's settings, with what is asked for.
  /// - Throws: `DiffusionError` for what the sampler does not read, whether it was chosen or is the run's.
  public func settings(for configuration: RunConfiguration) throws(DiffusionError) -> SamplerSettings {
    var settings = configuration.samplerSettings
    if let name { settings.name = name }
    if let steps { settings.steps = steps }
    if let eta { settings.eta = eta }
    if let spacing { settings.spacing = spacing }
    if let corrections { settings.corrections = corrections }
    if let signalToNoise { settings.signalToNoise = signalToNoise }
    if let tolerance { settings.tolerance = tolerance }
    if let churn { settings.churn.amount = churn }
    if let churnMin { settings.churn.minimum = churnMin }
    if let churnMax { settings.churn.maximum = churnMax }
    if let churnInflation { settings.churn.inflation = churnInflation }
    if let variance { settings.variance = variance }
    try settings.checkAllAreRead(options, process: configuration.process())
    return settings
  }
}
