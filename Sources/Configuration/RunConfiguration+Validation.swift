import Diffusion

extension RunConfiguration {
  /// Checks everything that can be checked without the data set and the ranks.
  ///
  /// - Throws: every problem, each naming its key, the value found and what is allowed.
  public func validate() throws(ConfigurationError) {
    // Checks across keys would only repeat, or divide by, a value that is wrong by itself.
    try validateKeys()
    let relationProblems = self.relationProblems
    if !relationProblems.isEmpty { throw ConfigurationError(relationProblems) }
  }

  /// Checks each key by itself.
  ///
  /// - Throws: every problem, each naming its key, the value found and what is allowed.
  public func validateKeys() throws(ConfigurationError) {
    let problems = singleKeyProblems
    if !problems.isEmpty { throw ConfigurationError(problems) }
  }

  /// Checks that the network fits images of `imageSize` x `imageSize` pixels. Expects a configuration that is valid
  /// otherwise.
  public func validate(imageSize: Int) throws(ConfigurationError) {
    let halvings = model.multipliers.count - 1
    guard imageSize > 0, imageSize.isMultiple(of: 1 << halvings) else {
      throw ConfigurationError(
        "model.multipliers is \(text("model.multipliers")), whose \(halvings + 1) levels halve the image \(halvings) "
          + "times, which images of \(imageSize)x\(imageSize) pixels do not allow; use fewer multipliers, or images "
          + "whose size is a multiple of \(1 << halvings)")
    }
    let resolutions = resolutions(imageSize: imageSize)
    var problems = model.attentionResolutions.filter { !resolutions.contains($0) }.map { missing in
      "model.attention_resolutions has \(missing), a resolution that the network does not have; with images of "
        + "\(imageSize)x\(imageSize) pixels and model.multipliers \(text("model.multipliers")) it has "
        + resolutions.map(\.description).joined(separator: ", ")
    }
    problems += headProblems(resolutions)
    if !problems.isEmpty { throw ConfigurationError(problems) }
  }

  /// Checks that the network is told as many classes as the data set has, or none.
  public func validate(classNames: [String]) throws(ConfigurationError) {
    guard let count = model.classes, count != classNames.count else { return }
    throw ConfigurationError(
      "model.classes is \(count), but "
        + (classNames.isEmpty
          ? "\(data.name) has no classes; set it to none"
          : "\(data.name) has \(classNames.count) classes (\(classNames.joined(separator: ", "))); set it to that, or to none")
    )
  }

  /// Checks that each of `rankCount` ranks gets at least one micro-batch of every batch.
  public func validate(rankCount: Int) throws(ConfigurationError) {
    guard rankCount > microBatchCount else { return }
    let isOne = microBatchCount == 1
    throw ConfigurationError(
      "training.batch \(training.batch) in pieces of training.micro_batch \(training.microBatch) makes "
        + "\(microBatchCount) micro-\(isOne ? "batch" : "batches"), fewer than the \(rankCount) ranks; run at most "
        + "\(microBatchCount) \(isOne ? "rank" : "ranks"), "
        + "or use a larger training.batch or a smaller training.micro_batch")
  }

  /// The width of each level of the network, largest first, for images of `imageSize` x `imageSize` pixels.
  public func resolutions(imageSize: Int) -> [Int] {
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
    if Set(training.emaDecays).count < training.emaDecays.count {
      problems.append(
        "training.ema_decays is \(text("training.ema_decays")), which has a value twice; give each once")
    }
    if let largest = model.multipliers.max(), largest * model.channels > Self.maximumChannels {
      problems.append(
        "model.channels is \(model.channels) and model.multipliers \(text("model.multipliers")), which makes levels of "
          + "\(largest * model.channels) channels; they may have at most \(Self.maximumChannels)")
    }
    problems += unreadKeys().map(\.problem)
    problems += groupProblems
    if let channels = model.architecture.headChannels, model.architecture.headCount != 1 {
      problems.append(
        "model.heads is \(model.architecture.headCount) and model.head_channels is \(channels), but one decides the "
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
    if problems.isEmpty { problems += processProblems }
    problems += noiseEmbeddingProblems
    problems += scheduleProblems
    if training.labelDropout > 0 && model.classes == nil {
      problems.append(
        "training.label_dropout is \(text("training.label_dropout")), but the network is told no classes; set "
          + "model.classes to the number of the data set's classes")
    }
    if diffusion.rescaleTimes && model.architecture.timeFeatures == .fourier {
      problems.append(
        "diffusion.rescale_times is true, but with model.embedding fourier the network is told the noise's logarithm, not "
          + "the step; set one of them to its default")
    }
    problems += guidanceProblems
    return problems
  }

  /// Of a level: then no number of parameters or of activations of an image is beyond what integers hold.
  private static let maximumChannels = 65536

  /// Whether there is such a process, it can be computed with, a network can be trained for it, and images drawn.
  private var processProblems: [String] {
    do {
      guard let unworkable = try process().firstUnworkableTime else {
        _ = try objective()
        return samplerProblem(name: \.self).map { [$0] } ?? []
      }
      return [problem(unworkable)]
    } catch {
      return ["diffusion.\(error)"]
    }
  }

  /// - Parameter unworkable: of the process that the configuration makes.
  private func problem(_ unworkable: UnworkableTime) -> String {
    let keys =
      diffusion.process == .discreteVariancePreserving
      ? ["diffusion.steps", "diffusion.schedule"]
        + (diffusion.schedule == .cosine ? [] : ["diffusion.beta_first", "diffusion.beta_last"])
      : ["diffusion.sigma_min", "diffusion.sigma_max"]
    let values = keys.map { "\($0) \(text($0))" }.joined(separator: ", ")
    switch unworkable {
    case .littleNoise(let time):
      return "\(values): at time \(time) there is too little noise, or too little more than before, to compute with; "
        + "take fewer steps, or more noise at the beginning"
    case .littleSignal(let time):
      return "\(values): at time \(time) the image is lost in the noise: its part is below what 32-bit floats can hold "
        + "beside it; take fewer steps, or less noise at the end"
    }
  }

  /// Whether every normalisation's channels can be cut into its groups.
  private var groupProblems: [String] {
    let minimum = model.architecture.minimumChannelsPerGroup
    if minimum == 1 {
      // Every level's channels are a multiple of the first one's, and so are those that skip connections join.
      if model.channels.isMultiple(of: model.groups) { return [] }
      return [
        "model.channels is \(model.channels), which model.groups \(model.groups) does not divide; "
          + "choose channels that are a multiple of it, or fewer groups"
      ]
    }
    if !model.channels.isMultiple(of: minimum) {
      return [
        "model.channels is \(model.channels), which model.group_channels \(minimum) does not divide; "
          + "choose channels that are a multiple of it"
      ]
    }
    let uneven = normalisedChannels.sorted().filter { !$0.isMultiple(of: min(model.groups, $0 / minimum)) }
    guard let first = uneven.first else { return [] }
    return [
      "model.groups is \(model.groups), which does not divide \(first) channels, as one normalisation has with "
        + "model.channels \(model.channels) and model.multipliers \(text("model.multipliers")); choose channels that "
        + "are a multiple of it, or fewer groups"
    ]
  }

  /// Channels of a level, and of what skip connections join: with those of the level itself or of the next one.
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

  /// Whether the process has a noise whose logarithm the network can be told.
  private var noiseEmbeddingProblems: [String] {
    let architecture = model.architecture
    let process = diffusion.process
    if architecture.timeFeatures == .fourier && process == .discreteVariancePreserving {
      return [
        "model.embedding is fourier, features of a logarithm that step 0 of diffusion.process vp does not have; take "
          + "vp-sde, or model.embedding sinusoidal"
      ]
    }
    guard architecture.dividesOutputByNoise else { return [] }
    if architecture.timeFeatures != .fourier {
      return ["model.scale_by_sigma is true, but the network is not told the noise; set model.embedding to fourier"]
    }
    if diffusion.variance.isLearned {
      return [
        "model.scale_by_sigma is true, which does not go with a variance that the network learns; diffusion.variance is "
          + diffusion.variance.rawValue
      ]
    }
    return []
  }

  /// Whether there are classes to lead images to, and a network that knows what they look like without.
  private var guidanceProblems: [String] {
    if sampling.guidance == 0 { return [] }
    let found = "sampling.guidance is \(text("sampling.guidance")), but the network "
    if model.classes == nil {
      return [found + "is told no classes; set model.classes to the number of the data set's classes"]
    }
    return training.labelDropout > 0 ? [] : [found + "is always told the class; set training.label_dropout above 0"]
  }

  /// Whether the place where the learning rate begins to fall means anything.
  private var scheduleProblems: [String] {
    guard let start = training.decayStart else { return [] }
    let found = "training.decay_start is \(start)"
    if training.schedule == .constant {
      return [
        "\(found), but with training.schedule constant the learning rate does not fall; set one of them to another value"
      ]
    }
    if start < training.warmupSteps {
      return ["\(found), less than training.warmup_steps \(training.warmupSteps); it must be at least that"]
    }
    if training.schedule.endsWithTheRun && start >= training.steps {
      return ["\(found), but training.steps is \(training.steps); it must be less than that"]
    }
    return []
  }

  func text(_ name: String) -> String {
    guard let key = ConfigurationKey.named(name) else { preconditionFailure("no key \(name)") }
    return key.value(in: self)
  }
}
