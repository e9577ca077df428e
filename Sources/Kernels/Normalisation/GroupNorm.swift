import Tensors

/// The shape of a group normalisation of x [images, pixels, channels].
package struct GroupNormGeometry: Sendable, Equatable {
  package var images: Int
  package var pixels: Int
  package var channels: Int
  /// Divides `channels`; a group is channels / groups consecutive channels.
  package var groups: Int
  /// Added to each variance.
  package var epsilon: Float

  package init(images: Int, pixels: Int, channels: Int, groups: Int, epsilon: Float) {
    self.images = images
    self.pixels = pixels
    self.channels = channels
    self.groups = groups
    self.epsilon = epsilon
  }

  /// - Parameter shape: [N, …, C].
  init(_ shape: [Int], _ statistics: GroupStatistics) {
    let (images, groups) = (statistics.means.shape[0], statistics.means.shape[1])
    verify(
      shape.count >= 2 && shape[0] == images && groups > 0 && shape[shape.count - 1] % groups == 0,
      "\(shape) does not have \(images) images and \(groups) groups of channels")
    self.init(
      images: images, pixels: shape.dropFirst().dropLast().reduce(1, *), channels: shape[shape.count - 1],
      groups: groups, epsilon: statistics.epsilon)
  }

  func check(_ parts: [Tensor], scale: Tensor, offset: Tensor, modulation: Tensor?) {
    verify(
      parts.allSatisfy { $0.shape.count >= 2 && $0.shape[0] == images && $0.count == images * pixels * $0.shape.last! }
        && parts.reduce(0) { $0 + $1.shape.last! } == channels, "the parts must have \(channels) channels")
    verify(scale.count == channels && offset.count == channels, "one scale and offset per channel")
    verify(modulation.map { $0.count == images * 2 * channels } ?? true, "two numbers per image and channel")
  }

  var channelsPerGroup: Int { channels / groups }
  package var imageCount: Int { pixels * channels }

  /// The number of pixels that are summed in single precision; they stay in the second-level cache between the two
  /// reads.
  var chunkPixels: Int { ColumnSums.blockRows(columns: channels) }
  var chunks: Int { (pixels + chunkPixels - 1) / chunkPixels }
  func chunk(_ index: Int) -> Range<Int> { index * chunkPixels..<min(pixels, (index + 1) * chunkPixels) }

  /// The number of pixels whose dropout multipliers are computed at a time, so that they fit in the first-level cache.
  var blockPixels: Int { max(1, 2048 / channels) }
}

/// The statistics of x that the backward pass needs: the mean and 1 / √(variance + epsilon) of each image's groups.
package struct GroupStatistics {
  /// Added to each variance.
  let epsilon: Float
  /// [N, groups].
  package let means: Tensor
  package let inverseStandardDeviations: Tensor

  /// Undefined until written.
  package init(images: Int, groups: Int, epsilon: Float) {
    self.epsilon = epsilon
    means = Tensor(uninitialised: [images, groups])
    inverseStandardDeviations = Tensor(uninitialised: [images, groups])
  }
}

/// Group normalisation (Wu and He, arXiv:1803.08494) fused with the modulation, the activation and the dropout that follow
/// it.
package enum GroupNorm {
  /// y = dropout(act(x̂·scale + offset)), x̂ = (x − mean) / √(variance + epsilon) over each image's groups; with a modulation
  /// by s and b, y = dropout(act((x̂·scale + offset)·(1 + s) + b)).
  ///
  /// An image's result does not depend on the other images.
  ///
  /// - Parameters:
  ///   - x: [N, …, C₁], [N, …, C₂], …: the parts of a tensor [N, …, C], joined along the channels.
  ///   - scale: [C], as `offset`.
  ///   - modulation: s and b of each image's channels, [N, 2·C]; nil for none.
  ///   - y: [N, …, C]; overwritten. May be x, if that is one part.
  ///   - statistics: written for the backward pass, or read if they are the result of an earlier call with the same x:
  ///     y is then bit-identical to the earlier result.
  package static func forward(
    x: [Tensor], scale: Tensor, offset: Tensor, modulation: Tensor? = nil, into y: Tensor,
    statistics: GroupStatistics, activation: Activation, dropout: Dropout?, hasStatistics: Bool = false,
    workers: WorkerPool
  ) {
    let call = GroupNormCall(
      x: x, shape: y.shape, scale: scale, offset: offset, modulation: modulation, statistics: statistics,
      activation: activation, dropout: dropout)
    let (pass, geometry) = (GroupNormForward(call, y: y.pointer), call.geometry)
    if hasStatistics {
      for image in 0..<geometry.images { pass.prepareNormalisation(image: image) }
      workers.forEach(geometry.images * geometry.chunks) {
        pass.normalise(image: $0 / geometry.chunks, chunk: $0 % geometry.chunks)
      }
    } else {
      forEachImage(
        geometry, workers, first: { pass.accumulateStatistics(image: $0, chunk: $1) },
        between: { pass.finishStatistics(image: $0) }, last: { pass.normalise(image: $0, chunk: $1) })
    }
    withExtendedLifetime((x, modulation, statistics)) {}
  }

  /// Computes the gradients of `forward`, given dy = ∂loss/∂y; dropout's mask is recomputed.
  ///
  /// With u = x̂·scale + offset and g = mask·dy·act′(u): dOffset = Σ g, dScale = Σ g·x̂, and
  /// dx = (g·scale − mean(g·scale) − x̂·mean(g·scale·x̂)) / √(variance + epsilon), where means are over the image's
  /// group. With a modulation, u = x̂·scale·(1 + s) + offset·(1 + s) + b; dx uses scale·(1 + s) instead of scale, and
  /// with P = Σ g·x̂ and O = Σ g over an image's pixels, ds = scale·P + offset·O, db = O, dScale = Σ (1 + s)·P and
  /// dOffset = Σ (1 + s)·O.
  ///
  /// - Parameters:
  ///   - dy: like y.
  ///   - g: like y: scratch memory for the gradient before the activation, needed unless there is neither activation
  ///     nor dropout; may be dy.
  ///   - dx: one target for each part of x, with the same shape; overwritten with the gradient plus the addend, which
  ///     may be the target. May be g or dy, if it is one part.
  ///   - dScale: [C]; accumulated, as `dOffset`: image by image, in order.
  ///   - modulation: as in `forward`.
  ///   - dModulation: like the modulation; overwritten. nil if it is not needed.
  package static func backward(
    x: [Tensor], dy: Tensor, scale: Tensor, offset: Tensor, statistics: GroupStatistics, g: Tensor,
    dx: [(target: Tensor, addend: Tensor?)], dScale: Tensor, dOffset: Tensor, modulation: Tensor? = nil,
    dModulation: Tensor? = nil, activation: Activation, dropout: Dropout?, workers: WorkerPool
  ) {
    let call = GroupNormCall(
      x: x, shape: dy.shape, scale: scale, offset: offset, modulation: modulation, statistics: statistics,
      activation: activation, dropout: dropout)
    call.geometry.check(dx.map(\.target), scale: dScale, offset: dOffset, modulation: dModulation)
    verify(g.count == dy.count && x.count == dx.count, "one gradient per part, and scratch memory like dy")
    verify(dx.allSatisfy { $0.addend == nil || $0.addend!.count == $0.target.count }, "an addend must fit the gradient")
    let pass = GroupNormBackward(call, dy: dy.pointer, g: g.pointer, dx: dx)
    forEachImage(
      call.geometry, workers, first: { pass.accumulateSums(image: $0, chunk: $1) },
      between: { pass.finishSums(image: $0) }, last: { pass.propagate(image: $0, chunk: $1) })
    pass.addParameterGradients(modulation: modulation?.pointer, dScale: dScale.pointer, dOffset: dOffset.pointer)
    if let dModulation {
      pass.fillModulationGradients(scale: scale.pointer, offset: offset.pointer, dModulation.pointer)
    }
    withExtendedLifetime((x, dx, modulation, dModulation, statistics)) {}
  }

  /// Runs three phases over every image: `first` on its chunks, `between` once, `last` on its chunks.
  ///
  /// Each image goes through all three while it is in cache, with one thread per image. Only if that would leave
  /// threads idle, the chunks of all images are shared out phase by phase; the arithmetic is the same.
  private static func forEachImage(
    _ geometry: GroupNormGeometry, _ workers: WorkerPool, first: (Int, Int) -> Void, between: (Int) -> Void,
    last: (Int, Int) -> Void
  ) {
    let (images, chunks) = (geometry.images, geometry.chunks)
    let uneven = images % workers.threadCount != 0 && images < 4 * workers.threadCount
    if uneven && chunks > 1 {
      workers.forEach(images * chunks) { first($0 / chunks, $0 % chunks) }
      workers.forEach(images) { between($0) }
      workers.forEach(images * chunks) { last($0 / chunks, $0 % chunks) }
    } else {
      workers.forEach(images) { image in
        for chunk in 0..<chunks { first(image, chunk) }
        between(image)
        for chunk in 0..<chunks { last(image, chunk) }
      }
    }
  }
}
