import MicroKernels
import Tensors

/// The images that a convolution of rounded operands writes: its sums, and what is added to them.
struct RoundedOutput {
  private let pixels: UnsafeMutablePointer<Float>
  let channels: Int
  private let height: Int
  private let width: Int
  private let isHalved: Bool
  private let lineStride: Int
  private let bias: UnsafePointer<Float>?
  private let perImage: UnsafePointer<Float>?
  private let residual: UnsafePointer<Float>?

  /// - Parameters:
  ///   - pixels: [N, H, W, channels] or, if halved, [N, H/2, W/2, channels].
  ///   - isHalved: whether the results of 2x2 pixels are added up.
  ///   - lineStride: the distance between lines in the sums; see `BorderedImages`.
  ///   - bias: [channels].
  ///   - perImage: [N, channels].
  ///   - residual: like `pixels`, and may be the same memory.
  init(
    pixels: UnsafeMutablePointer<Float>, channels: Int, geometry: Winograd.Geometry, isHalved: Bool, lineStride: Int,
    bias: UnsafePointer<Float>? = nil, perImage: UnsafePointer<Float>? = nil, residual: UnsafePointer<Float>? = nil
  ) {
    self.pixels = pixels
    self.channels = channels
    height = geometry.height
    width = geometry.width
    self.isHalved = isHalved
    self.lineStride = lineStride
    self.bias = bias
    self.perImage = perImage
    self.residual = residual
  }

  /// Writes the channels of a strip for some lines of an image.
  ///
  /// - Parameters:
  ///   - sums: [lines · lineStride, strip.width].
  ///   - lines: of the image in full resolution; whole pairs if it is halved.
  func put(_ sums: UnsafePointer<Float>, _ strip: RoundedStrip, image: Int, lines: Range<Int>) {
    withScratch(strip.width) { offsets in
      for c in 0..<strip.width {
        let channel = strip.start + c
        offsets[c] = c < strip.count ? (bias?[channel] ?? 0) + (perImage?[image * channels + channel] ?? 0) : 0
      }
      let step = isHalved ? 2 : 1
      for row in stride(from: lines.lowerBound, to: lines.upperBound, by: step) {
        let line = sums + (row - lines.lowerBound) * lineStride * strip.width
        let target = (image * height + row) / step * (width / step)
        for column in stride(from: 0, to: width, by: step) {
          let first = line + column * strip.width
          let element = (target + column / step) * channels + strip.start
          if isHalved {
            putPixel(element, strip, offsets) { c in
              let (upper, lower) = (first + c, first + lineStride * strip.width + c)
              return (load16(upper) + load16(upper + strip.width)) + (load16(lower) + load16(lower + strip.width))
            }
          } else {
            putPixel(element, strip, offsets) { c in load16(first + c) }
          }
        }
      }
    }
  }

  @inline(__always)
  private func putPixel(
    _ element: Int, _ strip: RoundedStrip, _ offsets: UnsafePointer<Float>, sum: (_ column: Int) -> Vector
  ) {
    @inline(__always)
    func put(_ column: Int, _ lanes: Int) {
      var value = sum(column) + load16(offsets + column)
      if let residual { value += load(residual + element + column, lanes) }
      store(value, pixels + element + column, lanes)
    }
    forEachVector(strip.count, put)
  }
}
