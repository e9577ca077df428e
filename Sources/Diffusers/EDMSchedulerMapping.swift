import Configuration
import Diffusion
import Interchange

/// Converts the process `edm` to the arguments of a diffusers scheduler, and back.
struct EDMSchedulerMapping: ProcessMapping {
  static let className = "EDMDPMSolverMultistepScheduler"
  private static let classNames = [className, "EDMEulerScheduler"]

  private let sigmaMin: Double
  private let sigmaMax: Double
  private let sigmaData: Double

  /// nil for other processes.
  init?(_ configuration: RunConfiguration) throws(DiffusionError) {
    let process = try configuration.process()
    guard process.timeIsSigma else { return nil }
    sigmaMin = process.times.lowerBound
    sigmaMax = process.times.upperBound
    sigmaData = configuration.withSigmaDataOfImages().diffusion.sigmaData ?? Self.usualSigmaData
  }

  /// Diffusers' default, which is that of the paper.
  private static let usualSigmaData = 0.5

  /// The values that both sides require.
  private static let fixedKeys: [(key: String, needed: JSONValue)] = [
    ("sigma_schedule", .text("karras")), ("rho", .number(7)),
    // The sign convention of Karras et al., table 1.
    ("prediction_type", .text("epsilon")),
  ]

  /// `scheduler/scheduler_config.json`.
  func file() -> [String: JSONValue] {
    var values: [String: JSONValue] = [
      "_class_name": .text(Self.className), "sigma_min": .number(sigmaMin), "sigma_max": .number(sigmaMax),
      "sigma_data": .number(sigmaData),
    ]
    for (key, needed) in Self.fixedKeys { values[key] = needed }
    return values
  }

  /// nil for a scheduler of another process.
  /// - Throws: `InterchangeError` naming the key that is not supported.
  init?(_ file: ComponentFile) throws(InterchangeError) {
    guard let name = file.className, Self.classNames.contains(name) else { return nil }
    for (key, needed) in Self.fixedKeys {
      let value = file.value(key, default: needed)
      guard value.means(needed) else { throw file.refusal(key, "is \(value), but only \(needed) is supported") }
    }
    sigmaMin = try file.number("sigma_min", default: .number(0.002))
    sigmaMax = try file.number("sigma_max", default: .number(80))
    sigmaData = try file.number("sigma_data", default: .number(Self.usualSigmaData))
  }

  func apply(to configuration: inout RunConfiguration) {
    if configuration.diffusion.process != .edm { configuration.diffusion.loss = .edm }
    configuration.diffusion.process = .edm
    configuration.diffusion.rescaleTimes = false
    configuration.diffusion.zeroTerminalSNR = false
    let sigmas = try? configuration.process().times
    if sigmas?.lowerBound != sigmaMin { configuration.diffusion.sigmaMin = sigmaMin }
    if sigmas?.upperBound != sigmaMax { configuration.diffusion.sigmaMax = sigmaMax }
    if configuration.withSigmaDataOfImages().diffusion.sigmaData != sigmaData {
      configuration.diffusion.sigmaData = sigmaData
    }
  }
}
