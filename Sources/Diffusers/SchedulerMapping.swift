import Configuration
import Diffusion
import Interchange

/// Converts our process of T steps to the arguments of a diffusers scheduler, and back.
struct SchedulerMapping: ProcessMapping {
  static let className = "DDPMScheduler"

  /// The scheduler specifies the steps, the schedule with its ends, its terminal SNR and the prediction.
  private var settings: RunConfiguration.DiffusionSettings
  /// The variance of the reverse steps; nil if the scheduler does not specify it.
  private let variance: ReverseVariance?
  /// Whether the predicted image is clamped to [-1, 1]; nil if the scheduler does not specify it.
  private let clips: Bool?

  /// - Throws: `ExportRefusal` for a model that no scheduler supports.
  init(_ configuration: RunConfiguration) throws(ExportRefusal) {
    settings = configuration.diffusion
    guard settings.process == .discreteVariancePreserving else {
      throw ExportRefusal(
        "diffusion.process", settings.process.rawValue,
        settings.process == .discreteVarianceExploding
          ? "no scheduler has a network with scaled-down images and step numbers as inputs, like this one"
          : "its schedulers use either the steps of a variance-preserving process (vp) or the noise levels of edm"
      )
    }
    guard !settings.rescaleTimes || settings.steps == 1000 else {
      throw ExportRefusal("diffusion.rescale_times", "true", "its networks get the scheduler's steps without rescaling")
    }
    guard Self.predictionNames[settings.prediction] != nil else {
      throw ExportRefusal(
        "diffusion.prediction", settings.prediction.rawValue,
        "schedulers read noise, data or velocity from a network's output")
    }
    guard Self.varianceNames[settings.variance] != nil else {
      throw ExportRefusal(
        "diffusion.variance", settings.variance.rawValue,
        "the network predicts the variance's logarithm, but diffusers' \"learned\" uses it as the variance itself")
    }
    variance = settings.variance
    clips = configuration.sampling.clipsOriginal
  }

  private static let predictionNames: [Prediction: String] = [
    .noise: "epsilon", .data: "sample", .velocity: "v_prediction",
  ]
  private static let varianceNames: [ReverseVariance: String] = [
    .small: "fixed_small", .large: "fixed_large", .learnedRange: "learned_range",
  ]
  private static let scheduleNames: [RunConfiguration.DiffusionSettings.Schedule: String] = [
    .linear: "linear", .quadratic: "scaled_linear", .cosine: "squaredcos_cap_v2", .sigmoid: "sigmoid",
  ]

  // MARK: To diffusers

  /// `scheduler/scheduler_config.json`.
  func file() throws(DiffusionError) -> [String: JSONValue] {
    var values: [String: JSONValue] = [
      "_class_name": .text(Self.className), "num_train_timesteps": .integer(settings.steps),
      "beta_start": .number(settings.betaFirst), "beta_end": .number(settings.betaLast), "trained_betas": .null,
      "clip_sample_range": .number(1), "thresholding": .boolean(false),
      "rescale_betas_zero_snr": .boolean(settings.zeroTerminalSNR), "steps_offset": .integer(0),
      // With other spacings, DDIMScheduler's step lengths do not match the steps that it visits, if their number does
      // not divide T; but "leading" omits the last step, which is where images start if it has no signal.
      "timestep_spacing": .text(settings.zeroTerminalSNR ? "trailing" : "leading"),
    ]
    values["beta_schedule"] = Self.scheduleNames[settings.schedule].map(JSONValue.text)
    values["prediction_type"] = Self.predictionNames[settings.prediction].map(JSONValue.text)
    values["variance_type"] = variance.flatMap { Self.varianceNames[$0] }.map(JSONValue.text)
    values["clip_sample"] = clips.map(JSONValue.boolean)
    // DDIMScheduler does not have this schedule, but all schedulers accept numbers.
    if settings.schedule == .sigmoid {
      values["trained_betas"] = .list(try Self.betas(settings).map(JSONValue.number))
    }
    return values
  }

  /// The schedule's variances, before they are rescaled for a terminal SNR of zero.
  private static func betas(_ settings: RunConfiguration.DiffusionSettings) throws(DiffusionError) -> [Double] {
    var configuration = RunConfiguration()
    configuration.diffusion = settings
    configuration.diffusion.zeroTerminalSNR = false
    return try configuration.schedule().betas
  }

  // MARK: From diffusers

  /// The schedulers for variance-preserving processes with counted steps. They differ only in how they sample.
  private static let classNames = ["DDPMScheduler", "DDIMScheduler", "PNDMScheduler", "DPMSolverMultistepScheduler"]

  /// - Throws: `InterchangeError` naming the key that is not supported.
  init(_ file: ComponentFile) throws(InterchangeError) {
    guard let name = file.className, Self.classNames.contains(name) else {
      throw file.refusal(
        "_class_name",
        "is \(file.values["_class_name"] ?? .null); supported are \(Self.classNames.joined(separator: ", "))",
        advice: "if the model was trained with the steps of one of these, save the pipeline with that one")
    }
    for key in ["thresholding", "use_flow_sigmas"]
    where try file.boolean(key, default: .boolean(false)) {
      throw file.refusal(key, "is true, which is not supported")
    }
    settings = RunConfiguration().diffusion
    settings.steps = try file.integer("num_train_timesteps", default: .integer(1000))
    settings.betaFirst = try file.number("beta_start", default: .number(1e-4))
    settings.betaLast = try file.number("beta_end", default: .number(0.02))
    settings.zeroTerminalSNR = try file.boolean("rescale_betas_zero_snr", default: .boolean(false))
    settings.prediction = try Self.prediction(file)
    guard !settings.zeroTerminalSNR || settings.prediction != .noise else {
      throw file.refusal(
        "rescale_betas_zero_snr", "is true, but prediction_type epsilon does not determine the image at the last step",
        advice: "correct the one that the model was not trained with")
    }
    variance = try Self.variance(file)
    clips = try Self.clips(file, name)
    if file.value("trained_betas", default: .null) == .null {
      settings.schedule = try file.choice("beta_schedule", default: "linear", among: Self.scheduleNames)
    } else {
      let name = try file.text("beta_schedule", default: .text("linear"))
      let named = Self.scheduleNames.first { $0.value == name }?.key
      try setSchedule(to: try file.numbers("trained_betas", default: .null), preferring: named, file)
    }
  }

  /// Finds the schedule with the given variances.
  private mutating func setSchedule(
    to betas: [Double], preferring named: RunConfiguration.DiffusionSettings.Schedule?, _ file: ComponentFile
  ) throws(InterchangeError) {
    // Diffusers stores them in single precision, with a relative error of 6e-8.
    let tolerance = 1e-6
    settings.steps = betas.count
    let all = RunConfiguration.DiffusionSettings.Schedule.allCases
    let ends = [(settings.betaFirst, settings.betaLast), (betas.first ?? 0, betas.last ?? 0)]
    for schedule in [named].compactMap(\.self) + all {
      for (first, last) in ends {
        var candidate = settings
        (candidate.schedule, candidate.betaFirst, candidate.betaLast) = (schedule, first, last)
        guard let known = try? Self.betas(candidate), known.count == betas.count,
          zip(known, betas).allSatisfy({ abs($0 - $1) <= tolerance * $0 })
        else { continue }
        settings = candidate
        return
      }
    }
    throw file.refusal(
      "trained_betas",
      "are not those of a supported schedule: \(all.map(\.rawValue).joined(separator: ", "))")
  }

  private static func prediction(_ file: ComponentFile) throws(InterchangeError) -> Prediction {
    // The key used before `prediction_type` was introduced.
    let isNoise = try file.boolean("predict_epsilon", default: .boolean(true))
    return try file.choice("prediction_type", default: isNoise ? "epsilon" : "sample", among: predictionNames)
  }

  private static func variance(_ file: ComponentFile) throws(InterchangeError) -> ReverseVariance? {
    switch file.value("variance_type", default: file.className == className ? .text("fixed_small") : .null) {
    case .null: return nil
    case .text("fixed_small"), .text("fixed_small_log"): return .small
    case .text("fixed_large"), .text("fixed_large_log"): return .large
    case .text("learned_range"): return .learnedRange
    case let other:
      throw file.refusal(
        "variance_type", "is \(other); supported are fixed_small, fixed_large, both with _log, and learned_range")
    }
  }

  private static func clips(_ file: ComponentFile, _ name: String) throws(InterchangeError) -> Bool? {
    guard ["DDPMScheduler", "DDIMScheduler"].contains(name) else { return nil }
    let clips = try file.boolean("clip_sample", default: .boolean(true))
    let range = try file.number("clip_sample_range", default: .number(1))
    guard !clips || range == 1 else {
      throw file.refusal("clip_sample_range", "is \(range), but images can only be clamped to [-1, 1]")
    }
    return clips
  }

  // MARK: Into a run's configuration

  func apply(to configuration: inout RunConfiguration) {
    configuration.diffusion.process = .discreteVariancePreserving
    configuration.diffusion.steps = settings.steps
    configuration.diffusion.schedule = settings.schedule
    configuration.diffusion.betaFirst = settings.betaFirst
    configuration.diffusion.betaLast = settings.betaLast
    configuration.diffusion.zeroTerminalSNR = settings.zeroTerminalSNR
    // With 1000 steps it has no effect.
    if settings.steps != 1000 { configuration.diffusion.rescaleTimes = false }
    configuration.diffusion.prediction = settings.prediction
    if let variance { configuration.diffusion.variance = variance }
    if let clips { configuration.sampling.clipsOriginal = clips }
    configuration.sampling.steps = min(configuration.sampling.steps, settings.steps)
  }
}
