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
  /// Of `edm`.
  public var churn = EDMSampler.Churn()
  /// Of the reverse steps of `ddpm`; by default the run's.
  public var variance: ReverseVariance?

  public init() {}

  /// The run's settings, with what is asked for.
  func settings(for configuration: RunConfiguration) -> SamplerSettings {
    var settings = configuration.samplerSettings
    if let name { settings.name = name }
    if let steps { settings.steps = steps }
    if let eta { settings.eta = eta }
    if let spacing { settings.spacing = spacing }
    if let corrections { settings.corrections = corrections }
    if let signalToNoise { settings.signalToNoise = signalToNoise }
    if let tolerance { settings.tolerance = tolerance }
    settings.churn = churn
    if let variance { settings.variance = variance }
    return settings
  }
}
