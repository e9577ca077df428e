import Tensors

/// The scale and offset of every image's channels in a group normalisation: the shared ones or, with a modulation,
/// scale·(1 + s) and offset·(1 + s) + b with the s and b of each image.
struct ModulatedAffine {
  private let scales: UnsafePointer<Float>
  private let offsets: UnsafePointer<Float>
  /// The distance from one image to the next: 0 if all images share the same values.
  private let stride: Int
  private let owner: FloatBuffer?

  /// - Parameters:
  ///   - scale: [channels], as `offset`.
  ///   - modulation: each image's s, then its b, [images, 2, channels]; nil for none.
  init(
    scale: UnsafePointer<Float>, offset: UnsafePointer<Float>, modulation: UnsafePointer<Float>?,
    geometry: GroupNormGeometry
  ) {
    guard let modulation else {
      (scales, offsets, stride, owner) = (scale, offset, 0, nil)
      return
    }
    let (images, channels) = (geometry.images, geometry.channels)
    let buffer = FloatBuffer(count: 2 * images * channels)
    let (newScales, newOffsets) = (buffer.pointer, buffer.pointer + images * channels)
    for image in 0..<images {
      let (s, b) = (modulation + 2 * image * channels, modulation + (2 * image + 1) * channels)
      for c in 0..<channels {
        newScales[image * channels + c] = scale[c] * (1 + s[c])
        newOffsets[image * channels + c] = offset[c] * (1 + s[c]) + b[c]
      }
    }
    (scales, offsets, stride, owner) = (UnsafePointer(newScales), UnsafePointer(newOffsets), channels, buffer)
  }

  /// [channels].
  func scale(image: Int) -> UnsafePointer<Float> { scales + image * stride }

  /// [channels].
  func offset(image: Int) -> UnsafePointer<Float> { offsets + image * stride }
}
