import ArgumentParser
import Diffusion
import Inference

/// How images are drawn, where it is not as the run's configuration says.
struct SamplerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The way from noise to images (default: ddpm, or in continuous time euler-maruyama or edm).", valueName: "name"))
  var sampler: SamplerName?

  @Option(parsing: .unconditional, help: ArgumentHelp("Fresh noise of ddim, from 0 to 1.", valueName: "x"))
  var eta: Double?

  @Option(help: "Which steps of the process are visited (default: linspace).")
  var spacing: StepSpacing?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Langevin steps at each time, of predictor-corrector and langevin (default: 1).", valueName: "n"))
  var corrections: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How strong their noise is beside their drift (default: 0.16).", valueName: "x"))
  var snr: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Error that ode-rk45 may make in a step (default: 1e-5).", valueName: "x"))
  var tolerance: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("S_churn of edm: noise added and taken away on the way (default: 0).", valueName: "x"))
  var churn: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("S_tmin of edm: no noise is added at lower levels (default: 0).", valueName: "x"))
  var churnMin: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("S_tmax of edm: no noise is added at higher levels (default: no limit).", valueName: "x"))
  var churnMax: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("S_noise of edm: the deviation of what is added (default: 1).", valueName: "x"))
  var churnNoise: Double?

  @Option(help: "Variance of the reverse steps of ddpm (default: the run's diffusion.variance).")
  var variance: ReverseVariance?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Sampling steps (default: the run's sampling.steps).", valueName: "n"))
  var steps: Int?

  func validate() throws {
    try require("--steps", steps, in: OptionRange.steps)
    // Each Langevin step of a step has a stream of random numbers to itself.
    try require("--corrections", corrections, in: 0...OptionRange.steps.upperBound)
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
    choice.churn = churn
    choice.churnMin = churnMin
    choice.churnMax = churnMax
    choice.churnInflation = churnNoise
    choice.variance = variance
    return choice
  }
}

extension SamplerName: ExpressibleByArgument {}
extension StepSpacing: ExpressibleByArgument {}
extension ReverseVariance: ExpressibleByArgument {}
