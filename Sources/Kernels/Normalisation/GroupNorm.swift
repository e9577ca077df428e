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

/// Some of the channels of a tensor, in memory of their own: [images, pixels, channels]. Several parts stand for one
/// tensor, joined along the channels, which is never materialised.
package struct ChannelPart {
  package let pointer: UnsafePointer<Float>
  package let channels: Int

  package init(_ pointer: UnsafePointer<Float>, channels: Int) {
    self.pointer = pointer
    self.channels = channels
  }
}

/// The target of the gradient with respect to a `ChannelPart`.
package struct ChannelPartGradient {
  package let target: UnsafeMutablePointer<Float>
  /// Added to the gradient; may be the target.
  package let addend: UnsafePointer<Float>?

  package init(_ target: UnsafeMutablePointer<Float>, addend: UnsafePointer<Float>? = nil) {
    self.target = target
    self.addend = addend
  }
}

/// Group normalisation (Wu and He, arXiv:1803.08494) fused with the modulation, the activation and the dropout that follow
/// it.
public enum GroupNorm {
  /// y = dropout(act(x̂·scale + offset)), x̂ = (x − mean) / √(variance + epsilon) over each image's groups; with a modulation
  /// by s and b, y = dropout(act((x̂·scale + offset)·(1 + s) + b)).
  ///
  /// An image's result does not depend on the other images.
  ///
  /// - Parameters:
  ///   - x: [images, pixels, channels], in one or more parts.
  ///   - scale: [channels], as `offset`.
  ///   - modulation: s and b of each image's channels, [images, 2, channels]; nil for none.
  ///   - y: [images, pixels, channels]; overwritten. May be x, if that is one part.
  ///   - means: [images, groups]; overwritten, for the backward pass.
  ///   - inverseStandardDeviations: 1 / √(variance + epsilon) [images, groups]; overwritten, for the backward pass.
  ///   - hasStatistics: whether means and inverseDeviations already contain the results of an earlier call with the
  ///     same x; they are then read, and y is bit-identical to the earlier result.
  package static func forward(
    x: [ChannelPart], scale: UnsafePointer<Float>, offset: UnsafePointer<Float>,
    modulation: UnsafePointer<Float>? = nil, y: UnsafeMutablePointer<Float>, means: UnsafeMutablePointer<Float>,
    inverseStandardDeviations: UnsafeMutablePointer<Float>, geometry: GroupNormGeometry, activation: Activation,
    dropout: Dropout?, hasStatistics: Bool = false, workers: WorkerPool
  ) {
    let affine = ModulatedAffine(scale: scale, offset: offset, modulation: modulation, geometry: geometry)
    let pass = GroupNormForward(
      x: x, affine: affine, y: y, means: means, inverseStandardDeviations: inverseStandardDeviations,
      geometry: geometry,
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

  /// Computes the gradients of `forward`, given dy = ∂loss/∂y; dropout's mask is recomputed.
  ///
  /// With u = x̂·scale + offset and g = mask·dy·act′(u): dOffset = Σ g, dScale = Σ g·x̂, and
  /// dx = (g·scale − mean(g·scale) − x̂·mean(g·scale·x̂)) / √(variance + epsilon), where means are over the image's
  /// group. With a modulation, u = x̂·scale·(1 + s) + offset·(1 + s) + b; dx uses scale·(1 + s) instead of scale, and
  /// with P = Σ g·x̂ and O = Σ g over an image's pixels, ds = scale·P + offset·O, db = O, dScale = Σ (1 + s)·P and
  /// dOffset = Σ (1 + s)·O.
  ///
  /// - Parameters:
  ///   - dy: [images, pixels, channels].
  ///   - means: the results of `forward`, like `inverseStandardDeviations`.
  ///   - g: scratch memory for g, [images, pixels, channels], needed unless there is neither activation nor dropout;
  ///     may be dy.
  ///   - dx: one target for each part of x, with the same shape; overwritten with the gradient plus the addend. May be
  ///     g or dy, if it is one part.
  ///   - dScale: [channels]; accumulated, as `dOffset`: image by image, in order.
  ///   - modulation: as in `forward`.
  ///   - dModulation: ds and db, like the modulation; overwritten. nil if they are not needed.
  package static func backward(
    x: [ChannelPart], dy: UnsafePointer<Float>, scale: UnsafePointer<Float>, offset: UnsafePointer<Float>,
    means: UnsafePointer<Float>, inverseStandardDeviations: UnsafePointer<Float>, g: UnsafeMutablePointer<Float>,
    dx: [ChannelPartGradient], dScale: UnsafeMutablePointer<Float>, dOffset: UnsafeMutablePointer<Float>,
    modulation: UnsafePointer<Float>? = nil, dModulation: UnsafeMutablePointer<Float>? = nil,
    geometry: GroupNormGeometry, activation: Activation, dropout: Dropout?, workers: WorkerPool
  ) {
    let affine = ModulatedAffine(scale: scale, offset: offset, modulation: modulation, geometry: geometry)
    let pass = GroupNormBackward(
      x: x, dy: dy, affine: affine, means: means, inverseStandardDeviations: inverseStandardDeviations, g: g, dx: dx,
      geometry: geometry, activation: activation, dropout: dropout)
    forEachImage(
      geometry, workers, first: { pass.accumulateSums(image: $0, chunk: $1) }, between: { pass.finishSums(image: $0) },
      last: { pass.propagate(image: $0, chunk: $1) })
    pass.addParameterGradients(modulation: modulation, dScale: dScale, dOffset: dOffset)
    if let dModulation { pass.fillModulationGradients(scale: scale, offset: offset, dModulation) }
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

/// A part of x with its position among all channels.
struct PlacedChannelPart {
  let pointer: UnsafePointer<Float>
  let channels: Int
  /// The part's first channel.
  let first: Int

  static func place(_ parts: [ChannelPart]) -> [PlacedChannelPart] {
    var first = 0
    return parts.map { part in
      defer { first += part.channels }
      return PlacedChannelPart(pointer: part.pointer, channels: part.channels, first: first)
    }
  }

  /// The part's elements of a pixel, given the pixel's index over all images.
  @inline(__always) func pixel(_ number: Int) -> UnsafePointer<Float> { pointer + number * channels }
}
