import Datasets
import Diffusion

extension RunConfiguration {
  /// Checks everything that can be checked without the data set and the number of ranks.
  ///
  /// - Throws: with every problem, each naming its key, the value found and the values allowed.
  package func validate() throws(ConfigurationError) {
    // Checks across keys would only repeat the error, or divide by an invalid value.
    try validateKeys()
    let relationProblems = self.relationProblems
    if !relationProblems.isEmpty { throw ConfigurationError(relationProblems) }
  }

  /// Checks each key separately.
  ///
  /// - Throws: with every problem, each naming its key, the value found and the values allowed.
  package func validateKeys() throws(ConfigurationError) {
    let problems = singleKeyProblems
    if !problems.isEmpty { throw ConfigurationError(problems) }
  }

  /// Checks that the network fits images of `height` x `width` pixels, or fields of as many points. The configuration
  /// must be valid otherwise.
  package func validate(height: Int, width: Int) throws(ConfigurationError) {
    let halvings = model.multipliers.count - 1
    let factor = 1 << halvings
    let misfits = [("height", height), ("width", width)].filter { $0.1 <= 0 || !$0.1.isMultiple(of: factor) }
    guard misfits.isEmpty else {
      let found = misfits.map { "a \($0.0) of \($0.1)" }.joined(separator: " and ")
      let wanted = misfits.map { "a \($0.0)" }.joined(separator: " and ")
      let (verb, rest) = misfits.count > 1 ? ("do", "that are multiples") : ("does", "that is a multiple")
      throw ConfigurationError(
        "model.multipliers is \(text("model.multipliers")), whose \(halvings + 1) levels halve height and width "
          + "\(halvings) times, which \(found) \(verb) not allow; use fewer multipliers, or \(wanted) \(rest) of "
          + "\(factor) \(Self.howToFitFields)")
    }
    let resolutions = resolutions(imageSize: height)
    var problems = model.attentionResolutions.filter { !resolutions.contains($0) }.map { missing in
      "model.attention_resolutions has \(missing), which is not a resolution of the network; with a height of "
        + "\(height) and model.multipliers \(text("model.multipliers")) it has "
        + resolutions.map(\.description).joined(separator: ", ")
    }
    problems += headProblems(resolutions)
    if !problems.isEmpty { throw ConfigurationError(problems) }
  }

  /// Checks that the network is conditioned on as many classes as the data set has, or on none.
  package func validate(classNames: [String]) throws(ConfigurationError) {
    guard let count = model.classes, count != classNames.count else { return }
    throw ConfigurationError(
      "model.classes is \(count), but "
        + (classNames.isEmpty
          ? "\(data.name) has no classes; set it to none"
          : "\(data.name) has \(classNames.count) classes (\(ClassNames.list(classNames))); set it to that, or to none")
    )
  }

  /// Checks that each of `rankCount` ranks gets at least one micro-batch of every batch.
  package func validate(rankCount: Int) throws(ConfigurationError) {
    guard rankCount > microBatchCount else { return }
    let isOne = microBatchCount == 1
    throw ConfigurationError(
      "training.batch \(training.batch) with training.micro_batch \(training.microBatch) gives "
        + "\(microBatchCount) micro-\(isOne ? "batch" : "batches"), fewer than the \(rankCount) ranks; run at most "
        + "\(microBatchCount) \(isOne ? "rank" : "ranks"), "
        + "or use a larger training.batch or a smaller training.micro_batch")
  }

  /// The height of each level of the network, largest first, for images of a height of `imageSize` pixels.
  package func resolutions(imageSize: Int) -> [Int] {
    model.multipliers.indices.map { imageSize >> $0 }
  }

  private var singleKeyProblems: [String] {
    ConfigurationKey.all.compactMap { key in
      guard let allowed = key.allowed, !key.isAllowed(self) else { return nil }
      return "\(key.name) is \(key.value(in: self)); it must be \(allowed)"
    }
  }

  private var relationProblems: [String] {
    var problems: [String] = []
    if !training.batch.isMultiple(of: training.microBatch) {
      problems.append(
        "training.batch is \(training.batch), which training.micro_batch \(training.microBatch) does not divide; "
          + "choose a batch that is a multiple of it")
    }
    problems += dataProblems
    if Set(training.emaDecays).count < training.emaDecays.count {
      problems.append(
        "training.ema_decays is \(text("training.ema_decays")), which has a value twice; give each value once")
    }
    if let largest = model.multipliers.max(), largest * model.channels > Self.maximumChannels {
      problems.append(
        "model.channels is \(model.channels) and model.multipliers \(text("model.multipliers")), which makes levels of "
          + "\(largest * model.channels) channels; they may have at most \(Self.maximumChannels)")
    }
    problems += unreadKeys().map(\.problem)
    if let groupProblem { problems.append(groupProblem) }
    if let channels = model.architecture.headChannels, model.architecture.headCount != 1 {
      problems.append(
        "model.heads is \(model.architecture.headCount) and model.head_channels is \(channels), but one determines the "
          + "other; set model.heads to 1, or model.head_channels to none")
    }
    if diffusion.betaLast < diffusion.betaFirst {
      problems.append(
        "diffusion.beta_last is \(text("diffusion.beta_last")), less than diffusion.beta_first "
          + "\(text("diffusion.beta_first")); the noise must not shrink")
    }
    if let minimum = diffusion.sigmaMin, let maximum = diffusion.sigmaMax, maximum <= minimum {
      problems.append(
        "diffusion.sigma_max is \(text("diffusion.sigma_max")), not above diffusion.sigma_min "
          + "\(text("diffusion.sigma_min")); the noise must grow")
    }
    if problems.isEmpty, let processProblem { problems.append(processProblem) }
    problems += [noiseEmbeddingProblem, decayStartProblem].compactMap(\.self)
    if training.labelDropout > 0 && model.classes == nil {
      problems.append(
        "training.label_dropout is \(text("training.label_dropout")), but the network has no classes; set "
          + "model.classes to the number of the data set's classes")
    }
    if diffusion.rescaleTimes && model.architecture.timeFeatures == .fourier {
      problems.append(
        "diffusion.rescale_times is true, but with model.embedding fourier the time input is the noise's logarithm, not "
          + "the step; set one of them to its default")
    }
    return problems + [guidanceProblem].compactMap(\.self)
  }

  private var dataProblems: [String] {
    var problems: [String] = []
    if Set(data.conditions).count < data.conditions.count {
      problems.append(
        "data.conditions is \(text("data.conditions")), which has a name twice; give each name once")
    }
    if data.name == "folder", let channels = data.channels, channels != 1, channels != 3 {
      problems.append("data.channels is \(channels); with data.name folder it must be 1 or 3, or default")
    }
    if data.name == "gaussian-field", !data.conditions.isEmpty, data.conditions.count >= data.channels ?? 1 {
      problems.append(
        "data.conditions is \(text("data.conditions")), which leaves none of the variables of gaussian-field to be drawn; "
          + "set data.channels above \(data.conditions.count)")
    }
    return problems
  }

  /// For a level: the number of parameters and of activations of an image then cannot overflow an integer.
  private static let maximumChannels = 65536

  /// Whether the process is valid and numerically workable, a network can be trained for it, and images can be drawn.
  private var processProblem: String? {
    do {
      if let unworkable = try process().firstUnworkableTime { return problem(unworkable) }
      _ = try objective()
      return samplerProblem(name: \.self)
    } catch {
      return "diffusion.\(error)"
    }
  }

  /// - Parameter unworkable: the problem of the configured process.
  private func problem(_ unworkable: UnworkableTime) -> String {
    let keys =
      diffusion.process == .discreteVariancePreserving
      ? ["diffusion.steps", "diffusion.schedule"]
        + (diffusion.schedule == .cosine ? [] : ["diffusion.beta_first", "diffusion.beta_last"])
      : ["diffusion.sigma_min", "diffusion.sigma_max"]
    let values = keys.map { "\($0) \(text($0))" }.joined(separator: ", ")
    switch unworkable {
    case .littleNoise(let time):
      return "\(values): at time \(time) the noise, or the noise added since the previous step, is too small; "
        + "use fewer steps, or more noise at the start"
    case .littleSignal(let time):
      return "\(values): at time \(time) the image is lost in the noise: its part is too small for 32-bit floats "
        + "beside it; use fewer steps, or less noise at the end"
    }
  }

  /// Whether every normalisation's channels can be divided into its groups.
  private var groupProblem: String? {
    let minimum = model.architecture.minimumChannelsPerGroup
    if minimum == 1 {
      // The channels of all levels, and those joined by skip connections, are multiples of the first level's.
      if model.channels.isMultiple(of: model.groups) { return nil }
      return "model.channels is \(model.channels), which model.groups \(model.groups) does not divide; "
        + "choose channels that are a multiple of it, or fewer groups"
    }
    if !model.channels.isMultiple(of: minimum) {
      return "model.channels is \(model.channels), which model.group_channels \(minimum) does not divide; "
        + "choose channels that are a multiple of it"
    }
    let uneven = normalisedChannels.sorted().filter { !$0.isMultiple(of: min(model.groups, $0 / minimum)) }
    guard let first = uneven.first else { return nil }
    return "model.groups is \(model.groups), which does not divide \(first) channels, as one normalisation has with "
      + "model.channels \(model.channels) and model.multipliers \(text("model.multipliers")); choose channels that "
      + "are a multiple of it, or fewer groups"
  }

  /// The channels of a level, and of skip connections joined with those of the level itself or of the next one.
  private var normalisedChannels: Set<Int> {
    let levels = model.multipliers.map { $0 * model.channels }
    let isDoubled =
      model.architecture.progressiveInput == .inputSkip && model.architecture.combination == .concatenation
    var result = Set(levels + [model.channels, levels[0] + model.channels])
    for (level, below) in zip(levels, levels.dropFirst() + [levels[levels.count - 1]]) {
      for skip in isDoubled ? [level, 2 * level] : [level] { result.formUnion([skip, level + skip, below + skip]) }
    }
    return result
  }

  /// Whether every attention's channels can be divided among its heads; the lowest level always has one.
  private func headProblems(_ resolutions: [Int]) -> [String] {
    let architecture = model.architecture
    let (key, parts) =
      architecture.headChannels.map { ("model.head_channels", $0) } ?? ("model.heads", architecture.headCount)
    return resolutions.indices.filter { level in
      level == resolutions.count - 1 || model.attentionResolutions.contains(resolutions[level])
    }.compactMap { level in
      let channels = model.multipliers[level] * model.channels
      if channels.isMultiple(of: parts) { return nil }
      return "\(key) is \(parts), which does not divide the \(channels) channels of the attention at "
        + "\(resolutions[level])x\(resolutions[level]) pixels; choose a number that divides the channels of every level "
        + "with attention, and of the lowest level, whose middle always has it"
    }
  }

  /// Whether the logarithm of the process's noise is finite, if the network needs it.
  private var noiseEmbeddingProblem: String? {
    let architecture = model.architecture
    let process = diffusion.process
    if architecture.timeFeatures == .fourier && process == .discreteVariancePreserving {
      return
        "model.embedding is fourier, which needs a logarithm that is infinite at step 0 of diffusion.process vp; use "
        + "vp-sde, or model.embedding sinusoidal"
    }
    guard architecture.dividesOutputByNoise else { return nil }
    if architecture.timeFeatures != .fourier {
      return "model.scale_by_sigma is true, but the time input is not the noise; set model.embedding to fourier"
    }
    if diffusion.variance.isLearned {
      return "model.scale_by_sigma is true, which cannot be combined with a learned variance; diffusion.variance is "
        + diffusion.variance.rawValue
    }
    return nil
  }

  /// Whether guidance is possible: there is a condition that training also hid from the network.
  private var guidanceProblem: String? {
    let hidesClasses = model.classes != nil && training.labelDropout > 0
    if sampling.guidance == 0 || hidesClasses || training.conditionDropout > 0 { return nil }
    let found = "sampling.guidance is \(text("sampling.guidance")), but the network "
    if model.classes != nil {
      return found + "is always conditioned on the class; set training.label_dropout above 0"
    }
    return data.conditions.isEmpty
      ? found + "has no classes; set model.classes to the number of the data set's classes, or for fields "
        + "data.conditions"
      : found + "always gets the channels of data.conditions; set training.condition_dropout above 0"
  }

  /// Whether `training.decay_start` is consistent with the schedule.
  private var decayStartProblem: String? {
    guard let start = training.decayStart else { return nil }
    let found = "training.decay_start is \(start)"
    if training.schedule == .constant {
      return
        "\(found), but with training.schedule constant the learning rate does not fall; set one of them to another value"
    }
    if start < training.warmupSteps {
      return "\(found), less than training.warmup_steps \(training.warmupSteps); it must be at least that"
    }
    if training.schedule.endsWithTheRun && start >= training.steps {
      return "\(found), but training.steps is \(training.steps); it must be less than that"
    }
    return nil
  }

  func text(_ name: String) -> String {
    guard let key = ConfigurationKey.named(name) else { preconditionFailure("no key \(name)") }
    return key.value(in: self)
  }
}
