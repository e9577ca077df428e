import Glibc
import Tensors

/// Images with noise added, and what a network is to be told and asked about them.
public struct NoisedImages: Sendable {
  /// What the network sees: x_t, scaled as the model says, [N, H, W, C].
  public let input: Tensor
  /// x_0.
  public let original: Tensor
  /// ε, shaped like `original`.
  public let noise: Tensor
  /// t of each image, in units of the process.
  public let times: [Double]
  /// What the network is told of them.
  public let networkTimes: [Float]

  public init(input: Tensor, original: Tensor, noise: Tensor, times: [Double], networkTimes: [Float]) {
    self.input = input
    self.original = original
    self.noise = noise
    self.times = times
    self.networkTimes = networkTimes
  }
}

/// What a network is trained to say of what, and how much each error counts.
///
/// All losses here are weighted mean squares of the error of the network's own output; the weights make them what they
/// are as losses of the noise, the score or the image.
public struct TrainingObjective: Sendable {
  public enum Loss: String, Sendable, CaseIterable {
    /// The mean square itself: for predicted noise L_simple (Ho, Jain, Abbeel, arXiv:2006.11239, equation 14).
    case simple
    /// Denoising score matching with λ(t) = σ_t² (Song et al., arXiv:2011.13456, equation 7): the square of the noise's
    /// error, whatever is predicted.
    case scoreMatching = "score-matching"
    /// Score matching with λ(t) = g(t)², which bounds the likelihood, with times drawn in proportion to g²/σ², so that
    /// what is left is the square of the noise's error, up to a constant factor (Song, Durkan, Murray, Ermon: "Maximum
    /// likelihood training of score-based diffusion models", arXiv:2101.09258, sections 3 and 5).
    case likelihoodWeighted = "likelihood-weighted"
    /// The square of the image's error times min(α²/σ², 5) (Hang et al.: "Efficient diffusion training via Min-SNR
    /// weighting strategy", arXiv:2303.09556, equation 8).
    case minimumSignalToNoise = "min-snr"
    /// The square of the preconditioned output's error, with log σ drawn from N(−1.2, 1.2²) (Karras et al.,
    /// arXiv:2206.00364, table 1).
    case edm
  }

  public let model: ModelDescription
  public let loss: Loss
  /// Times at which the integral of g²/σ² has grown by equal amounts.
  private let quantiles: [Double]

  /// - Throws: `DiffusionError` if the loss is not for such models.
  public init(model: ModelDescription, loss: Loss = .simple) throws(DiffusionError) {
    self.model = model
    self.loss = loss
    let isDiscrete = model.process is DiscreteProcess
    switch loss {
    case .likelihoodWeighted:
      guard let process = model.process as? any DiffusionSDE, !isDiscrete, !(process is EDMProcess) else {
        throw DiffusionError(
          key: "loss", problem: "likelihood-weighted is for the processes vp-sde, sub-vp-sde and ve-sde")
      }
      quantiles = Self.quantiles(of: process)
    case .edm:
      guard model.process is EDMProcess else {
        throw DiffusionError(key: "loss", problem: "edm is for the process edm")
      }
      quantiles = []
    case .simple, .scoreMatching, .minimumSignalToNoise: quantiles = []
    }
    if model.parametrisation == .prediction(.mean), !isDiscrete {
      throw DiffusionError(key: "prediction", problem: "mean is for the discrete processes vp and ve")
    }
  }

  // MARK: Drawing

  /// For every image a time and standard normal noise ε; both depend on the seed, the optimiser step and the image's place
  /// in the global batch, on nothing else (for the discrete process Ho et al., algorithm 1, lines 3 to 5).
  /// - Parameters:
  ///   - images: x_0, [N, H, W, C], the samples `firstSample`, `firstSample` + 1 … of the global batch.
  ///   - step: the optimiser step.
  public func draw(
    images: Tensor, seed: UInt64, step: Int, firstSample: Int, workers: WorkerPool? = nil
  ) -> NoisedImages {
    let imageCount = images.shape[0]
    let times = (firstSample..<firstSample + imageCount).map { sample in
      time(RandomStream(seed: seed, purpose: .timestep, step: step, sample: sample))
    }
    let noise = Tensor(uninitialised: images.shape)
    let input = Tensor(uninitialised: images.shape)
    let factors = times.map { time in
      let (marginal, scale) = (model.process.marginal(at: time), model.inputScale(at: time))
      return (scale * marginal.signal, scale * marginal.deviation)
    }
    forEachImage(imageCount, workers) { image in
      let range = elementRange(of: image, in: noise)
      RandomStream(seed: seed, purpose: .noise, step: step, sample: firstSample + image)
        .fillNormal(noise.pointer + range.lowerBound, count: range.count)
      let (a, b) = factors[image]
      for index in range {
        input.pointer[index] = Float(a * Double(images.pointer[index]) + b * Double(noise.pointer[index]))
      }
    }
    return NoisedImages(
      input: input, original: images, noise: noise, times: times,
      networkTimes: times.map { Float(model.process.networkTime(at: $0)) })
  }

  private func time(_ stream: RandomStream) -> Double {
    if let discrete = model.process as? DiscreteProcess { return Double(stream.integer(0, below: discrete.steps)) }
    let range = (model.process as? any DiffusionSDE)?.trainingTimes ?? model.process.times
    switch loss {
    case .edm:
      var normal: Float = 0
      stream.fillNormal(&normal, count: 1)
      return min(max(exp(-1.2 + 1.2 * Double(normal)), range.lowerBound), range.upperBound)
    case .likelihoodWeighted:
      let place = Double(stream.uniform(0)) * Double(quantiles.count - 1)
      let index = min(Int(place), quantiles.count - 2)
      return quantiles[index] + (quantiles[index + 1] - quantiles[index]) * (place - Double(index))
    case .simple, .scoreMatching, .minimumSignalToNoise:
      return range.lowerBound + Double(stream.uniform(0)) * (range.upperBound - range.lowerBound)
    }
  }

  private static func quantiles(of process: any DiffusionSDE) -> [Double] {
    let (first, last) = (process.trainingTimes.lowerBound, process.trainingTimes.upperBound)
    // Equal ratios of times, since the density is largest, and steepest, at the first.
    let count = 20_000
    let times = (0...count).map { first * pow(last / first, Double($0) / Double(count)) }
    func density(_ time: Double) -> Double {
      let deviation = process.marginal(at: time).deviation
      return process.squaredDiffusion(at: time) / (deviation * deviation)
    }
    var sums = [0.0]
    for (a, b) in zip(times, times.dropFirst()) { sums.append(sums.last! + (density(a) + density(b)) / 2 * (b - a)) }
    var index = 0
    return (0...1000).map { part in
      let sought = sums.last! * Double(part) / 1000
      while index < count - 1 && sums[index + 1] < sought { index += 1 }
      let share = (sought - sums[index]) / (sums[index + 1] - sums[index])
      return min(times[index] + (times[index + 1] - times[index]) * min(max(share, 0), 1), last)
    }
  }

  // MARK: Loss

  /// A micro-batch's part of the global batch's mean loss, and its gradient. Parts add up to the mean.
  /// - Parameters:
  ///   - output: the network's, [N, H, W, C].
  ///   - elementsInGlobalBatch: images of the whole batch times elements of one.
  /// - Returns: Σ weight·(output − target)² / elementsInGlobalBatch, added up in a fixed order in double precision, and its
  ///   gradient with respect to the output.
  public func lossAndGradient(
    output: Tensor, of images: NoisedImages, elementsInGlobalBatch: Int
  ) -> (loss: Double, gradient: Tensor) {
    precondition(output.shape == images.noise.shape, "shapes \(output.shape) and \(images.noise.shape) differ")
    precondition(elementsInGlobalBatch >= output.count, "a micro-batch is part of the global batch")
    let gradient = Tensor(uninitialised: output.shape)
    let scale = 1 / Double(elementsInGlobalBatch)
    var total = 0.0
    for (image, time) in images.times.enumerated() {
      let (target, weight) = (model.target(at: time), weight(at: time))
      var sum = 0.0
      for index in elementRange(of: image, in: output) {
        let right =
          target.original * Double(images.original.pointer[index]) + target.noise * Double(images.noise.pointer[index])
        let difference = Double(output.pointer[index]) - right
        sum += difference * difference
        gradient.pointer[index] = Float(2 * weight * difference * scale)
      }
      total += weight * sum
    }
    return (total * scale, gradient)
  }

  /// What the square of the output's error counts.
  func weight(at time: Double) -> Double {
    switch loss {
    case .simple, .edm: return 1
    case .scoreMatching, .likelihoodWeighted:
      let factor = model.reading(at: time).noise.output
      return factor * factor
    case .minimumSignalToNoise:
      let factor = model.reading(at: time).original.output
      return factor * factor * min(model.process.marginal(at: time).signalToNoise, 5)
    }
  }
}
