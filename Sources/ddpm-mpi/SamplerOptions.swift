import ArgumentParser
import Diffusion
import Inference

/// How images are drawn, where it is not as the run's configuration says.
struct SamplerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The way from noise to images (default: ddpm, or in continuous time euler-maruyama or edm).", valueName: "name"))
  var sampler: SamplerName?

  @Option(help: ArgumentHelp("Fresh noise of ddim, from 0 to 1.", valueName: "x"))
  var eta: Double?

  @Option(help: "Which steps of the process are visited (default: linspace).")
  var spacing: StepSpacing?

  @Option(
    help: ArgumentHelp(
      "Langevin steps at each time, of predictor-corrector and langevin (default: 1).", valueName: "n"))
  var corrections: Int?

  @Option(help: ArgumentHelp("How strong their noise is beside their drift (default: 0.16).", valueName: "x"))
  var snr: Double?

  @Option(help: ArgumentHelp("Error that ode-rk45 may make in a step (default: 1e-5).", valueName: "x"))
  var tolerance: Double?

  @Option(help: ArgumentHelp("S_churn of edm: noise added and taken away on the way (default: 0).", valueName: "x"))
  var churn: Double?

  @Option(help: ArgumentHelp("S_tmin of edm: no noise is added at lower levels (default: 0).", valueName: "x"))
  var churnMin: Double?

  @Option(help: ArgumentHelp("S_tmax of edm: no noise is added at higher levels (default: no limit).", valueName: "x"))
  var churnMax: Double?

  @Option(help: ArgumentHelp("S_noise of edm: the deviation of what is added (default: 1).", valueName: "x"))
  var churnNoise: Double?

  @Option(help: "Variance of the reverse steps of ddpm (default: the run's diffusion.variance).")
  var variance: ReverseVariance?

  @Option(help: ArgumentHelp("Sampling steps (default: the run's sampling.steps).", valueName: "n"))
  var steps: Int?

  func validate() throws {
    try require("--steps", steps, in: OptionRange.steps)
    try require("--corrections", corrections, in: 0...OptionRange.steps.upperBound)
    if variance != nil && (sampler ?? .ddpm) != .ddpm { throw ValidationError("--variance is for --sampler ddpm.") }
    if eta != nil && sampler != .ddim { throw ValidationError("--eta is for --sampler ddim.") }
    let isLangevin = sampler == .predictorCorrector || sampler == .langevin
    if (corrections != nil || snr != nil) && !isLangevin {
      throw ValidationError("--corrections and --snr are for --sampler predictor-corrector and langevin.")
    }
    if tolerance != nil && sampler != .odeAdaptive { throw ValidationError("--tolerance is for --sampler ode-rk45.") }
    if (churn ?? churnMin ?? churnMax ?? churnNoise) != nil && sampler != .edm {
      throw ValidationError("--churn, --churn-min, --churn-max and --churn-noise are for --sampler edm.")
    }
    if steps != nil && sampler == .odeAdaptive {
      throw ValidationError("--steps is not for --sampler ode-rk45, which chooses its steps by the error.")
    }
  }

  var choice: SamplerChoice {
    var choice = SamplerChoice()
    choice.name = sampler
    choice.steps = steps
    choice.eta = eta
    choice.spacing = spacing
    choice.corrections = corrections
    choice.signalToNoise = snr
    choice.tolerance = tolerance
    if let churn { choice.churn.amount = churn }
    if let churnMin { choice.churn.least = churnMin }
    if let churnMax { choice.churn.most = churnMax }
    if let churnNoise { choice.churn.inflation = churnNoise }
    choice.variance = variance
    return choice
  }
}

extension SamplerName: ExpressibleByArgument {}
extension StepSpacing: ExpressibleByArgument {}
extension ReverseVariance: ExpressibleByArgument {}
