import Tensors

/// A training objective: what the network predicts, and how its errors are weighted.
///
/// Most losses are weighted mean squared errors of the network's output; the weights turn them into losses of the
/// noise, the score or the image. The others are the variational bound, or contain it.
package struct TrainingObjective: Sendable {
  package enum Loss: String, Sendable, CaseIterable {
    /// The unweighted mean squared error; for predicted noise L_simple (Ho, Jain, Abbeel, arXiv:2006.11239, equation
    /// 14).
    case simple
    /// The variational bound L in bits per dimension: L_T, and T times the term of the step that was drawn (ibid.,
    /// equation 5).
    case variational
    /// The mean squared error for the mean, and a thousandth of the bound for the variance. The bound's gradient
    /// reaches the variance only (Nichol, Dhariwal, arXiv:2102.09672, equation 16).
    case hybrid
    /// Denoising score matching with λ(t) = σ_t² (Song et al., arXiv:2011.13456, equation 7): the squared error of the
    /// noise, whatever is predicted.
    case scoreMatching = "score-matching"
    /// Score matching with λ(t) = g(t)², which bounds the likelihood, with times drawn in proportion to g²/σ², which
    /// leaves the squared error of the noise, up to a constant factor (Song, Durkan, Murray, Ermon: "Maximum likelihood
    /// training of score-based diffusion models", arXiv:2101.09258, sections 3 and 5).
    case likelihoodWeighted = "likelihood-weighted"
    /// The squared error of the image times min(α²/σ², 5) (Hang et al.: "Efficient diffusion training via Min-SNR
    /// weighting strategy", arXiv:2303.09556, equation 8).
    case minimumSignalToNoise = "min-snr"
    /// The squared error of the preconditioned output, with noise levels drawn from `NoiseLevels` (Karras et al.,
    /// arXiv:2206.00364, table 1).
    case edm

    /// Whether the loss trains the network's variance.
    var trainsVariance: Bool { self == .variational || self == .hybrid }
  }

  package let model: ModelDescription
  package let loss: Loss
  private let times: TrainingTimes

  /// - Parameter levels: for the loss `edm`.
  /// - Throws: `DiffusionError` naming `loss`, `prediction` or `variance` if they do not fit each other or the process.
  package init(
    model: ModelDescription, loss: Loss = .simple, levels: NoiseLevels = NoiseLevels()
  ) throws(DiffusionError) {
    self.model = model
    self.loss = loss
    let isDiscrete = model.process.discrete != nil
    try require(
      isDiscrete || model.parametrisation != .prediction(.mean), "prediction",
      "mean requires one of the discrete processes vp and ve")
    if model.variance.isLearned {
      try require(
        isDiscrete, "variance", "\(model.variance.rawValue) requires one of the discrete processes vp and ve")
      try require(
        loss.trainsVariance, "loss",
        "\(loss.rawValue) does not train a learned variance; use hybrid or variational")
    }
    try Self.checkLastStep(loss, model)
    times = try Self.times(loss, model, levels)
  }

  /// At a step that leaves nothing of the image, the network must predict the image, and the weight of its error must
  /// not be 0.
  private static func checkLastStep(_ loss: Loss, _ model: ModelDescription) throws(DiffusionError) {
    guard model.process.discrete?.hasZeroTerminalSNR == true else { return }
    try require(
      [.prediction(.velocity), .prediction(.data)].contains(model.parametrisation), "prediction",
      "with zero_terminal_snr the last step leaves nothing of the image, so noise, score and mean do not determine it; "
        + "use velocity or data")
    try require(
      loss != .minimumSignalToNoise && loss != .scoreMatching, "loss",
      "\(loss.rawValue) does not train the last step, whose signal-to-noise ratio is 0 with zero_terminal_snr; "
        + "use simple")
  }

  private static func times(
    _ loss: Loss, _ model: ModelDescription, _ levels: NoiseLevels
  ) throws(DiffusionError) -> TrainingTimes {
    func requires(_ condition: Bool, _ what: String) throws(DiffusionError) {
      try require(condition, "loss", "\(loss.rawValue) requires \(what)")
    }
    let isDiscrete = model.process.discrete != nil
    switch loss {
    case .variational: try requires(isDiscrete, "one of the discrete processes vp and ve")
    case .hybrid:
      try requires(
        model.variance.isLearned, "a learned-range or learned variance and one of the discrete processes vp and ve")
    case .likelihoodWeighted:
      try requires(!isDiscrete && !model.process.timeIsSigma, "one of the processes vp-sde, sub-vp-sde and ve-sde")
      return .likelihoodWeighted(model.process)
    case .edm:
      try requires(model.process.timeIsSigma, "the process edm")
      return .edm(model.process, levels)
    case .simple, .scoreMatching, .minimumSignalToNoise: break
    }
    return .even(over: model.process)
  }

  // MARK: Drawing

  /// Draws a time and standard normal noise ε for every image. Both depend only on the seed, the optimiser step, the
  /// image's index in the global batch and, with `lossAware`, the losses so far (for the discrete process: Ho et al.,
  /// algorithm 1, lines 3 to 5).
  /// - Parameters:
  ///   - images: x_0, [N, H, W, C], the samples `firstSample`, `firstSample` + 1 … of the global batch.
  ///   - conditions: the images' conditions, copied to the result.
  ///   - step: the optimiser step.
  ///   - lossAware: the distribution of the steps of a discrete process; nil for the uniform one.
  package func draw(
    images: Tensor, conditions: Conditions = .none, seed: UInt64, step: Int, firstSample: Int,
    lossAware: LossAwareSteps? = nil, workers: WorkerPool = .callingThread
  ) -> NoisedImages {
    let imageCount = images.shape[0]
    let streams = (firstSample..<firstSample + imageCount).map { sample in
      RandomStream(seed: seed, purpose: .timestep, step: step, sample: sample)
    }
    let times: [Double]
    var weights: [Double]?
    if let lossAware {
      let distribution = StepDistribution(lossAware)
      let steps = streams.map { distribution.step(at: Double($0.uniform(0))) }
      times = steps.map(Double.init)
      weights = steps.map(distribution.weight)
    } else {
      times = streams.map(self.times.draw)
    }
    let noise = Tensor(uninitialised: images.shape)
    let input = Tensor(uninitialised: images.shape)
    let factors = times.map { time in
      let (marginal, scale) = (model.process.marginal(at: time), model.inputScale(at: time))
      return (scale * marginal.signal, scale * marginal.sigma)
    }
    let size = images.shape.dropFirst().reduce(1, *)
    workers.forEach(imageCount) { image in
      let range = image * size..<(image + 1) * size
      RandomStream(seed: seed, purpose: .noise, step: step, sample: firstSample + image)
        .fillNormal(noise, in: range)
      let (a, b) = factors[image]
      for index in range {
        input[index] = Float(a * Double(images[index]) + b * Double(noise[index]))
      }
    }
    return NoisedImages(
      input: input, original: images, noise: noise, times: times,
      networkTimes: times.map { Float(model.networkTime(at: $0)) }, conditions: conditions,
      weights: weights)
  }
}
