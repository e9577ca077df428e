import ArgumentParser
import Diffusion

/// The defaults, for the help.
private let standard = RestorationSettings()

/// The method that draws what fits measurements, and its options.
struct RestorationOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Method that draws what fits the measurements.", valueName: "name"))
  var method = standard.name

  @Option(number: "Steps (default: \(standard.steps), or all steps of a process that has fewer).")
  var steps: Int?

  @Option(
    help: ArgumentHelp(
      "Which steps of a discrete process are taken (default: \(standard.spacing.rawValue)).", valueName: "spacing"))
  var spacing: StepSpacing?

  @Option(
    help: ArgumentHelp(
      "Variance of the steps of repaint and dps (default: the model's; for dps large if that is learned).",
      valueName: "variance"))
  var variance: ReverseVariance?

  @Option(number: "Langevin steps at each time, for imputation (default: \(standard.corrections)).")
  var corrections: Int?

  @Option(
    number: "Ratio of noise to drift in a Langevin step, for imputation (default: \(standard.signalToNoise)).",
    valueName: "x")
  var snr: Double?

  @Option(number: "Steps that repaint goes back at a time (default: \(standard.jumpLength)).")
  var jumpLength: Int?

  @Option(number: "How often repaint takes each stretch of --jump-length steps (default: \(standard.resamplings)).")
  var resamplings: Int?

  @Option(
    number: "Length of the steps that dps takes towards the measurement (default: \(standard.scale)).", valueName: "x")
  var scale: Double?

  @Option(
    help: ArgumentHelp("Sampler that pigdm guides (default: \(standard.sampler.rawValue)).", valueName: "sampler"))
  var sampler: SamplerName?

  @Option(
    number:
      "Standard deviation of the data, from which pigdm computes how uncertain an image is (default: the model's).",
    valueName: "x")
  var sigmaData: Double?

  @Option(
    number: "Iterations by which pigdm takes this uncertainty from the network's derivative instead; each costs an "
      + "evaluation (default: \(standard.iterations), none).")
  var iterations: Int?

  @Option(
    number: "Fraction of the steps that sdedit takes, above 0 and up to 1 (default: \(standard.strength)).",
    valueName: "x")
  var strength: Double?

  func validate() throws {
    try require("--steps", steps, in: OptionRange.steps)
    for option in given where !method.options.contains(option) {
      let methods = RestorationName.allCases.filter { $0.options.contains(option) }.map(\.rawValue)
      throw ValidationError(
        "\(name(option)) is for --method \(methods.joined(separator: ", ")); --method is \(method.rawValue).")
    }
    guard method == .pigdm else { return }
    let sampler = settings.sampler
    for (option, ofSampler) in [(RestorationOption.steps, SamplerOption.steps), (.spacing, .spacing)]
    where given.contains(option) && !sampler.options.contains(ofSampler) {
      throw ValidationError("\(name(option)) is not for --sampler \(sampler.rawValue).")
    }
    if sigmaData != nil && settings.iterations > 0 {
      throw ValidationError("--sigma-data is for --iterations 0; otherwise the network's derivative takes its place.")
    }
  }

  private func name(_ option: RestorationOption) -> String { "--" + option.rawValue.replacing("_", with: "-") }

  private var given: [RestorationOption] {
    let all: [(RestorationOption, Bool)] = [
      (.steps, steps != nil), (.spacing, spacing != nil), (.variance, variance != nil),
      (.corrections, corrections != nil), (.signalToNoise, snr != nil), (.jumpLength, jumpLength != nil),
      (.resamplings, resamplings != nil), (.scale, scale != nil), (.sampler, sampler != nil),
      (.sigmaData, sigmaData != nil), (.iterations, iterations != nil), (.strength, strength != nil),
    ]
    return all.filter(\.1).map(\.0)
  }

  /// The method, with defaults where nothing is given. Steps and the standard deviation of data may depend on the model.
  var settings: RestorationSettings {
    var settings = RestorationSettings()
    settings.name = method
    if let spacing { settings.spacing = spacing }
    settings.variance = variance
    if let corrections { settings.corrections = corrections }
    if let snr { settings.signalToNoise = snr }
    if let jumpLength { settings.jumpLength = jumpLength }
    if let resamplings { settings.resamplings = resamplings }
    if let scale { settings.scale = scale }
    if let sampler { settings.sampler = sampler }
    if let iterations { settings.iterations = iterations }
    if let strength { settings.strength = strength }
    return settings
  }
}

extension RestorationName: ExpressibleByArgument {}
extension StepSpacing: ExpressibleByArgument {}
extension ReverseVariance: ExpressibleByArgument {}
extension SamplerName: ExpressibleByArgument {}
