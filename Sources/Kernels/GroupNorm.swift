import Tensors

/// The shape of a group normalisation of x [images, pixels, channels].
public struct GroupNormGeometry: Sendable, Equatable {
  public var images: Int
  public var pixels: Int
  public var channels: Int
  /// Divides `channels`; a group is channels / groups consecutive channels.
  public var groups: Int
  /// Added to each variance.
  public var epsilon: Float

  public init(images: Int, pixels: Int, channels: Int, groups: Int, epsilon: Float) {
    self.images = images
    self.pixels = pixels
    self.channels = channels
    self.groups = groups
    self.epsilon = epsilon
  }

  var channelsPerGroup: Int { channels / groups }
  var imageCount: Int { pixels * channels }

  /// Pixels whose sums are taken in single precision, and that stay in the second-level cache between two readings.
  var chunkPixels: Int { ColumnSums.blockRows(columns: channels) }
  var chunks: Int { (pixels + chunkPixels - 1) / chunkPixels }
  func chunk(_ index: Int) -> Range<Int> { index * chunkPixels..<min(pixels, (index + 1) * chunkPixels) }

  /// Pixels whose dropout multipliers are made at a time: they fit in the first-level cache.
  var blockPixels: Int { max(1, 2048 / channels) }
}

/// Group normalisation (Wu and He, arXiv:1803.08494) fused with the activation and the dropout that follow it.
public enum GroupNorm {
  /// y = dropout(act(x̂·scale + offset)), x̂ = (x − mean) / √(variance + epsilon) over each image's groups.
  ///
  /// An image's result does not depend on the other images.
  ///
  /// - Parameters:
  ///   - x: [images, pixels, channels].
  ///   - scale: [channels], as `offset`.
  ///   - y: like x; overwritten. May be x.
  ///   - means: [images, groups]; overwritten, for the backward pass.
  ///   - inverseDeviations: 1 / √(variance + epsilon) [images, groups]; overwritten, for the backward pass.
  ///   - hasStatistics: whether means and inverseDeviations are there already, from an earlier call with the same x; then
  ///     they are read, and y is the same bits as then.
  public static func forward(
    x: UnsafePointer<Float>, scale: UnsafePointer<Float>, offset: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
    means: UnsafeMutablePointer<Float>, inverseDeviations: UnsafeMutablePointer<Float>, geometry: GroupNormGeometry,
    activation: Activation, dropout: Dropout?, hasStatistics: Bool = false, workers: WorkerPool
  ) {
    let pass = GroupNormForward(
      x: x, scale: scale, offset: offset, y: y, means: means, inverseDeviations: inverseDeviations, geometry: geometry,
      activation: activation, dropout: dropout)
    if hasStatistics {
      for image in 0..<geometry.images { pass.prepareNormalisation(image: image) }
      return workers.forEach(geometry.images * geometry.chunks) {
        pass.normalise(image: $0 / geometry.chunks, chunk: $0 % geometry.chunks)
      }
    }
    forEachImage(
      geometry, workers, first: { pass.accumulateStatistics(image: $0, chunk: $1) },
      between: { pass.finishStatistics(image: $0) }, last: { pass.normalise(image: $0, chunk: $1) })
  }

  /// The gradients of `forward`, given dy = ∂loss/∂y; dropout's mask is made again.
  ///
  /// With u = x̂·scale + offset and g = mask·dy·act′(u): dOffset = Σ g, dScale = Σ g·x̂, and
  /// dx = (g·scale − mean(g·scale) − x̂·mean(g·scale·x̂)) / √(variance + epsilon), means over the image's group.
  ///
  /// - Parameters:
  ///   - means: what `forward` wrote, as `inverseDeviations`.
  ///   - dx: like x; overwritten. May be dy.
  ///   - dScale: [channels]; accumulated, as `dOffset`: image by image, in order.
  public static func backward(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, scale: UnsafePointer<Float>, offset: UnsafePointer<Float>,
    means: UnsafePointer<Float>, inverseDeviations: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
    dScale: UnsafeMutablePointer<Float>, dOffset: UnsafeMutablePointer<Float>, geometry: GroupNormGeometry,
    activation: Activation, dropout: Dropout?, workers: WorkerPool
  ) {
    let pass = GroupNormBackward(
      x: x, dy: dy, scale: scale, offset: offset, means: means, inverseDeviations: inverseDeviations, dx: dx,
      geometry: geometry, activation: activation, dropout: dropout)
    forEachImage(
      geometry, workers, first: { pass.accumulateSums(image: $0, chunk: $1) }, between: { pass.finishSums(image: $0) },
      last: { pass.propagate(image: $0, chunk: $1) })
    pass.addParameterGradients(dScale: dScale, dOffset: dOffset)
  }

  /// Runs three phases over every image: `first` on its chunks, `between` once, `last` on its chunks.
  ///
  /// Each image goes through all three while it is in cache, one thread an image. Only where that would leave threads
  /// idle are the chunks of all images shared out phase by phase; the arithmetic is the same.
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
