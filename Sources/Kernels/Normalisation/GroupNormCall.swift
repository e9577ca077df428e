import MicroKernels
import Tensors

/// What both passes of a group normalisation read. Its caller keeps the tensors alive.
struct GroupNormCall {
  /// The parts of x.
  let x: [ChannelPart]
  let affine: ModulatedAffine
  /// [images, groups].
  let means: UnsafeMutablePointer<Float>
  let inverseStandardDeviations: UnsafeMutablePointer<Float>
  let geometry: GroupNormGeometry
  let activation: Activation
  let dropout: Dropout?

  /// - Parameter shape: [N, …, C].
  init(
    x: [Tensor], shape: [Int], scale: Tensor, offset: Tensor, modulation: Tensor?, statistics: GroupStatistics,
    activation: Activation, dropout: Dropout?
  ) {
    geometry = GroupNormGeometry(shape, statistics)
    geometry.check(x, scale: scale, offset: offset, modulation: modulation)
    self.x = ChannelPart.place(x)
    affine = ModulatedAffine(
      scale: scale.pointer, offset: offset.pointer, modulation: modulation?.pointer, geometry: geometry)
    means = statistics.means.pointer
    inverseStandardDeviations = statistics.inverseStandardDeviations.pointer
    self.activation = activation
    self.dropout = dropout
  }

  /// The shift of each channel of an image, then the factor of its shifted values: [2, channels].
  func putShiftsAndFactors(image: Int, into shifts: UnsafeMutablePointer<Float>) {
    let (perGroup, factors) = (geometry.channelsPerGroup, shifts + geometry.channels)
    let scale = affine.scale(image: image)
    for group in 0..<geometry.groups {
      let index = image * geometry.groups + group
      for c in group * perGroup..<(group + 1) * perGroup {
        shifts[c] = means[index]
        factors[c] = inverseStandardDeviations[index] * scale[c]
      }
    }
  }

  /// Calls `body` with the pixels of a chunk: all at once or, if elements are dropped, in blocks with their multipliers.
  func forEachBlock(
    image: Int, chunk: Int, _ body: (_ pixels: Range<Int>, _ multipliers: UnsafePointer<Float>?) -> Void
  ) {
    let (pixels, channels) = (geometry.chunk(chunk), geometry.channels)
    guard let dropout else { return body(pixels, nil) }
    withScratch(Dropout.scratchCount(geometry.blockPixels * channels)) { scratch in
      for first in stride(from: pixels.lowerBound, to: pixels.upperBound, by: geometry.blockPixels) {
        let block = first..<min(first + geometry.blockPixels, pixels.upperBound)
        let elements = block.lowerBound * channels..<block.upperBound * channels
        body(block, dropout.fillMultipliers(image: image, range: elements, scratch: scratch))
      }
    }
  }
}

/// Some of the channels of x, in memory of their own, with their position among all channels: [images, pixels, channels].
/// x itself, its parts joined along the channels, is never materialised.
struct ChannelPart {
  let pointer: UnsafePointer<Float>
  let channels: Int
  /// The part's first channel.
  let first: Int

  /// - Parameter parts: [N, …, C₁], [N, …, C₂], ….
  static func place(_ parts: [Tensor]) -> [ChannelPart] {
    var first = 0
    return parts.map { part in
      let channels = part.shape[part.shape.count - 1]
      defer { first += channels }
      return ChannelPart(pointer: part.pointer, channels: channels, first: first)
    }
  }

  /// The part's elements of a pixel, given the pixel's index over all images.
  @inline(__always) func pixel(_ number: Int) -> UnsafePointer<Float> { pointer + number * channels }
}
