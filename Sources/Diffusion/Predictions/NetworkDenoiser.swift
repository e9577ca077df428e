import Tensors

/// A network as a function of images, times and classes.
public protocol DiffusionNetwork {
  /// - Parameters:
  ///   - x: [N, H, W, C].
  ///   - times: what `ForwardProcess.networkTime` says, N values.
  ///   - classes: of each image, nil for the null class; nil altogether for a network without classes.
  /// - Returns: [N, H, W, C], or twice as many channels where the variance is learned too.
  func output(_ x: Tensor, times: [Float], classes: [Int?]?) throws -> Tensor
}

/// ∇ log p(class | x_t) of a classifier that knows noisy images.
public protocol NoisyClassifier {
  /// - Parameters:
  ///   - x: [N, H, W, C].
  ///   - times: N values, as the classifier was trained with.
  ///   - classes: of each image.
  /// - Returns: shaped like x.
  func logProbabilityGradient(_ x: Tensor, times: [Float], classes: [Int]) throws -> Tensor
}

/// A network behind the `Denoiser` protocol, with guidance towards classes.
public struct NetworkDenoiser<Network: DiffusionNetwork>: Denoiser {
  public let network: Network
  public let model: ModelDescription
  public let guidance: Guidance
  /// Whether x̂_0 is kept within [−1, 1], the range of images, and ε̂ is what then is left of x. Where little of the image
  /// is in x, a small error of ε̂ is a large one of x̂_0, and deterministic samplers carry it on.
  public let clipsOriginal: Bool

  public init(
    network: Network, model: ModelDescription, guidance: Guidance = .none, clipsOriginal: Bool = false
  ) {
    self.network = network
    self.model = model
    self.guidance = guidance
    self.clipsOriginal = clipsOriginal
  }

  public func estimate(_ x: DoubleTensor, at times: [Double], images: [Int]) throws -> Estimate {
    let estimate = try guidedEstimate(x, at: times, images: images)
    guard clipsOriginal else { return estimate }
    return Estimate(
      original: estimate.original.clamped(to: -1...1), of: x, at: times.map { model.process.marginal(at: $0) },
      variance: estimate.variance)
  }

  private func guidedEstimate(_ x: DoubleTensor, at times: [Double], images: [Int]) throws -> Estimate {
    switch guidance {
    case .none: return try estimate(x, at: times, classes: nil)
    case .conditional(let classes): return try estimate(x, at: times, classes: images.map { classes[$0] })
    case .classifierFree(let classes, let scale):
      let conditional = try estimate(x, at: times, classes: images.map { classes[$0] })
      if scale == 0 { return conditional }
      let unconditional = try estimate(x, at: times, classes: images.map { _ in nil })
      return try guided(
        x, times, conditional,
        noise: .sum((1 + scale, conditional.noise), (-scale, unconditional.noise)))
    case .classifier(let classifier, let classes, let scale, let modelClasses):
      let base = try estimate(x, at: times, classes: modelClasses.map { known in images.map { known[$0] } })
      if scale == 0 { return base }
      let gradient = DoubleTensor(
        try classifier.logProbabilityGradient(
          x.single, times: times.map { Float(model.process.networkTime(at: $0)) }, classes: images.map { classes[$0] }))
      // score + scale·gradient, and ε = −σ·score.
      let deviations = times.map { -scale * model.process.marginal(at: $0).deviation }
      return try guided(
        x, times, base, noise: .sum([(times.map { _ in 1 }, base.noise), (deviations, gradient)]))
    }
  }

  private func guided(
    _ x: DoubleTensor, _ times: [Double], _ estimate: Estimate, noise: DoubleTensor
  ) throws -> Estimate {
    Estimate(
      noise: noise, of: x, at: times.map { model.process.marginal(at: $0) }, variance: estimate.variance)
  }

  /// The network's own word.
  private func estimate(_ x: DoubleTensor, at times: [Double], classes: [Int?]?) throws -> Estimate {
    let scales = times.map { model.inputScale(at: $0) }
    let input = scales.allSatisfy { $0 == 1 } ? x : DoubleTensor.sum([(scales, x)])
    let output = DoubleTensor(
      try network.output(
        input.single, times: times.map { Float(model.process.networkTime(at: $0)) }, classes: classes))
    let (mean, variance) = split(output, channels: x.shape[x.shape.count - 1])
    let readings = times.map { model.reading(at: $0) }
    return Estimate(
      original: .sum([(readings.map(\.original.noisy), x), (readings.map(\.original.output), mean)]),
      noise: .sum([(readings.map(\.noise.noisy), x), (readings.map(\.noise.output), mean)]), variance: variance)
  }

  private func split(_ output: DoubleTensor, channels: Int) -> (DoubleTensor, LearnedVariance?) {
    guard model.variance.isLearned else { return (output, nil) }
    let shape = Array(output.shape.dropLast()) + [channels]
    var (mean, variance) = ([Double](), [Double]())
    mean.reserveCapacity(output.elements.count / 2)
    variance.reserveCapacity(output.elements.count / 2)
    for pixel in stride(from: 0, to: output.elements.count, by: 2 * channels) {
      mean += output.elements[pixel..<pixel + channels]
      variance += output.elements[pixel + channels..<pixel + 2 * channels]
    }
    return (
      DoubleTensor(mean, shape: shape), LearnedVariance(DoubleTensor(variance, shape: shape), as: model.variance)
    )
  }
}

/// How samples are led towards classes. With all parts exact, the score is ∇log q(x_t) + (1 + γ)·∇log q(class | x_t) in
/// every case; at γ = 0 that is the exact conditional distribution.
public enum Guidance: Sendable {
  /// A network without classes.
  case none
  /// A network that is told the classes, nil for its null class.
  case conditional([Int?])
  /// (1 + γ)·ε̂(x, class) − γ·ε̂(x, no class) (Ho, Salimans: "Classifier-free diffusion guidance", arXiv:2207.12598,
  /// equation 6).
  case classifierFree([Int?], scale: Double)
  /// A classifier's gradient on top (Dhariwal, Nichol: "Diffusion models beat GANs on image synthesis", arXiv:2105.05233,
  /// algorithm 2). Its scale is γ for a network that is told the classes (`modelClasses`), 1 + γ for one that is not.
  case classifier(any NoisyClassifier & Sendable, classes: [Int], scale: Double, modelClasses: [Int?]?)

  /// How often the network looks at an image for one estimate.
  public var evaluationsPerEstimate: Int {
    if case .classifierFree(_, let scale) = self, scale != 0 { 2 } else { 1 }
  }
}
