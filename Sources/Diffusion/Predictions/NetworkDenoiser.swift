import Tensors

/// A network as a function of images, times and conditions.
package protocol DiffusionNetwork {
  /// - Parameters:
  ///   - x: [N, H, W, C].
  ///   - times: as `ModelDescription.networkTime` computes them, N values.
  ///   - conditions: the classes of a network with classes, and the given channels of one that has such.
  /// - Returns: [N, H, W, C], or twice as many channels if the variance is learned too.
  func output(_ x: Tensor, times: [Float], conditions: Conditions) throws -> Tensor
}

/// A network that can also be differentiated.
package protocol DifferentiableNetwork: DiffusionNetwork {
  /// The output, and a function that computes vectorᵀ·∂output/∂x, image by image, for a vector shaped like x. If the
  /// output has twice as many channels, only the first half is used. The network is evaluated again for each call after
  /// the first.
  func outputWithPullback(
    _ x: Tensor, times: [Float], conditions: Conditions
  ) throws -> (output: Tensor, pullback: (_ vector: Tensor) throws -> Tensor)
}

/// ∇ log p(class | x_t) of a classifier trained on noisy images.
package protocol NoisyClassifier {
  /// - Parameters:
  ///   - x: scaled by `ModelDescription.ofClassifier.inputScale`, [N, H, W, C].
  ///   - times: as its `networkTime` computes them, N values.
  ///   - classes: the class of each image.
  /// - Returns: shaped like x.
  func logProbabilityGradient(_ x: Tensor, times: [Float], classes: [Int]) throws -> Tensor
}

/// A network behind the `Denoiser` protocol, with guidance.
package struct NetworkDenoiser<Network: DiffusionNetwork>: Denoiser {
  package let network: Network
  package let model: ModelDescription
  package let guidance: Guidance
  /// Whether x̂_0 is clamped to [−1, 1], the range of images, and ε̂ is recomputed from x and the clamped x̂_0. Where x
  /// contains little of the image, a small error of ε̂ is a large error of x̂_0, and deterministic samplers propagate
  /// it.
  package let clipsOriginal: Bool

  package init(
    network: Network, model: ModelDescription, guidance: Guidance = .none, clipsOriginal: Bool = false
  ) {
    self.network = network
    self.model = model
    self.guidance = guidance
    self.clipsOriginal = clipsOriginal
  }

  package func estimate(_ x: DoubleTensor, at times: [Double], images: [Int]) throws -> Estimate {
    let estimate = try guidedEstimate(x, at: times, images: images)
    guard clipsOriginal else { return estimate }
    return Estimate(
      original: estimate.original.clamped(to: -1...1), of: x, at: times.map { model.process.marginal(at: $0) },
      variance: estimate.variance)
  }

  private func guidedEstimate(_ x: DoubleTensor, at times: [Double], images: [Int]) throws -> Estimate {
    switch guidance {
    case .conditional(let conditions): return try estimate(x, at: times, conditions.rows(images))
    case .classifierFree(let conditions, let hidden, let scale):
      let conditional = try estimate(x, at: times, conditions.rows(images))
      if scale == 0 { return conditional }
      let unconditional = try estimate(x, at: times, hidden.rows(images))
      return Self.guided(from: unconditional, to: conditional, scale: scale)
    case .classifier(let classifier, let classes, let scale, let modelConditions):
      let base = try estimate(x, at: times, modelConditions.rows(images))
      if scale == 0 { return base }
      let seen = model.ofClassifier
      let gradient = DoubleTensor(
        try classifier.logProbabilityGradient(
          seen.scaled(x, at: times).single, times: seen.networkTimes(times), classes: images.map { classes[$0] }))
      // score + scale·gradient, and ε = −σ·score; the classifier's gradient is with respect to the scaled x.
      let marginals = times.map { model.process.marginal(at: $0) }
      let factors = zip(times, marginals).map { scale * seen.inputScale(at: $0) * $1.sigma }
      return Estimate(
        noise: DoubleTensor(base.noise - factors * gradient), of: x, at: marginals, variance: base.variance)
    }
  }

  /// Extrapolates from the unconditional estimate beyond the conditional one. Image and noise are extrapolated
  /// separately: one could not be computed from the other where x contains nothing of the image.
  private static func guided(from unconditional: Estimate, to conditional: Estimate, scale: Double) -> Estimate {
    Estimate(
      original: guided(from: unconditional.original, to: conditional.original, scale: scale),
      noise: guided(from: unconditional.noise, to: conditional.noise, scale: scale), variance: conditional.variance)
  }

  private static func guided(
    from unconditional: DoubleTensor, to conditional: DoubleTensor, scale: Double
  ) -> DoubleTensor { DoubleTensor((1 + scale) * conditional - scale * unconditional) }

  /// The network's estimate, without guidance.
  private func estimate(_ x: DoubleTensor, at times: [Double], _ conditions: Conditions) throws -> Estimate {
    read(
      try network.output(model.scaled(x, at: times).single, times: model.networkTimes(times), conditions: conditions),
      of: x, at: times)
  }

  private func read(_ output: Tensor, of x: DoubleTensor, at times: [Double]) -> Estimate {
    let (mean, variance) = split(DoubleTensor(output), channels: x.shape[x.shape.count - 1])
    let readings = times.map { model.reading(at: $0) }
    return Estimate(
      original: DoubleTensor(readings.map(\.original.noisy) * x + readings.map(\.original.output) * mean),
      noise: DoubleTensor(readings.map(\.noise.noisy) * x + readings.map(\.noise.output) * mean), variance: variance)
  }

  private func split(_ output: DoubleTensor, channels: Int) -> (DoubleTensor, DoubleTensor?) {
    guard model.variance.isLearned else { return (output, nil) }
    func half(from first: Int) -> DoubleTensor {
      var elements: [Double] = []
      elements.reserveCapacity(output.elements.count / 2)
      for pixel in stride(from: first, to: output.elements.count, by: 2 * channels) {
        elements += output.elements[pixel..<pixel + channels]
      }
      return DoubleTensor(elements, shape: output.shape.dropLast() + [channels])
    }
    return (half(from: 0), half(from: channels))
  }
}

extension NetworkDenoiser: DifferentiableDenoiser where Network: DifferentiableNetwork {
  /// - Precondition: nothing is clipped, and there is no classifier guidance, which would need the classifier's second
  ///   derivative.
  package func estimateWithPullback(
    _ x: DoubleTensor, at times: [Double], images: [Int]
  ) throws -> (estimate: Estimate, pullback: Estimate.Pullback) {
    precondition(!clipsOriginal, "a clipped estimate has no derivative")
    switch guidance {
    case .conditional(let conditions): return try estimateWithPullback(x, at: times, conditions.rows(images))
    case .classifierFree(let conditions, let hidden, let scale):
      let conditional = try estimateWithPullback(x, at: times, conditions.rows(images))
      let unconditional = try estimateWithPullback(x, at: times, hidden.rows(images))
      return (
        Self.guided(from: unconditional.estimate, to: conditional.estimate, scale: scale),
        { part, vector in
          Self.guided(
            from: try unconditional.pullback(part, vector), to: try conditional.pullback(part, vector), scale: scale)
        }
      )
    case .classifier: preconditionFailure("a classifier's second derivative would be needed")
    }
  }

  /// The network's estimate, without guidance.
  private func estimateWithPullback(
    _ x: DoubleTensor, at times: [Double], _ conditions: Conditions
  ) throws -> (estimate: Estimate, pullback: Estimate.Pullback) {
    let (output, pullback) = try network.outputWithPullback(
      model.scaled(x, at: times).single, times: model.networkTimes(times), conditions: conditions)
    return (
      read(output, of: x, at: times),
      { part, vector in
        let readings = times.map { part == .noise ? model.reading(at: $0).noise : model.reading(at: $0).original }
        let factors = zip(times, readings).map { model.inputScale(at: $0) * $1.output }
        return DoubleTensor(
          readings.map(\.noisy) * vector + factors * DoubleTensor(try pullback(vector.single)))
      }
    )
  }
}

extension ModelDescription {
  /// x, scaled as the network's input.
  fileprivate func scaled(_ x: DoubleTensor, at times: [Double]) -> DoubleTensor {
    let scales = times.map { inputScale(at: $0) }
    return scales.allSatisfy { $0 == 1 } ? x : DoubleTensor(scales * x)
  }

  fileprivate func networkTimes(_ times: [Double]) -> [Float] { times.map { Float(networkTime(at: $0)) } }
}
