import Kernels
import MicroKernels
import Tensors

/// Pooling over windows of pixels, for inference, channel by channel.
///
/// Windows are 3x3; output (oy, ox) covers the input starting at (oy·stride − pad, ox·stride − pad). Pixels outside of
/// the image are ignored: they are never the maximum, and a mean is over the pixels inside.
package enum Pooling: Sendable {
  case maximum
  case mean

  private static let size = 3

  package static func outputSide(_ side: Int, stride: Int, pad: Int) -> Int { (side + 2 * pad - size) / stride + 1 }

  /// - Parameters:
  ///   - x: [N, H, W, C].
  ///   - pad: less than 3, so that each window contains a pixel.
  ///   - y: [N, outputSide(H), outputSide(W), C]; overwritten.
  package func callAsFunction(_ x: ImageView, into y: ImageView, stride: Int, pad: Int, workers: WorkerPool) {
    verify(pad < Self.size, "each window must contain a pixel")
    verify(
      y.images == x.images && y.height == Self.outputSide(x.height, stride: stride, pad: pad)
        && y.width == Self.outputSide(x.width, stride: stride, pad: pad) && y.channels == x.channels,
      "y does not have the result's shape")
    func inside(_ position: Int, _ side: Int) -> Range<Int> {
      max(0, position * stride - pad)..<min(side, position * stride - pad + Self.size)
    }
    workers.forEach(y.images * y.height) { line in
      let rows = inside(line % y.height, x.height)
      let image = UnsafePointer(x.pointer + line / y.height * x.imageStride)
      for column in 0..<y.width {
        let columns = inside(column, x.width)
        let first = image + (rows.lowerBound * x.width + columns.lowerBound) * x.pixelStride
        let target = y.pointer + (line * y.width + column) * y.pixelStride
        let window = Window(
          first: first, rows: rows.count, columns: columns.count, lineStride: x.width * x.pixelStride,
          pixelStride: x.pixelStride)
        switch self {
        case .maximum: window.putMaximum(into: target, channels: x.channels)
        case .mean: window.putMean(into: target, channels: x.channels)
        }
      }
    }
    withExtendedLifetime((x, y)) {}
  }

  /// The mean over all pixels of each image, summed in double precision.
  ///
  /// - Parameters:
  ///   - x: [N, H, W, C], all channels of a tensor.
  ///   - means: [N, 1, 1, C], all channels of a tensor; overwritten.
  package static func meanOverPixels(_ x: ImageView, into means: ImageView, workers: WorkerPool) {
    verify(means.images == x.images && means.height * means.width == 1, "means does not have the result's shape")
    let sums = means.tensor.reshaped([x.images, x.channels])
    Rows.sumOverPixels(x.tensor, into: sums, workers: workers)
    Elementwise.multiple(sums, by: 1 / Float(x.height * x.width), into: sums, workers: workers)
  }
}

/// The pixels of one window that are inside the image.
private struct Window {
  let first: UnsafePointer<Float>
  let rows: Int
  let columns: Int
  let lineStride: Int
  let pixelStride: Int

  @inline(__always)
  func putMaximum(into target: UnsafeMutablePointer<Float>, channels: Int) {
    @inline(__always)
    func put(_ c: Int, _ lanes: Int) {
      let result = reduced(c, lanes) { largest, value in largest.replacing(with: value, where: largest .< value) }
      store(result, target + c, lanes)
    }
    forEachVector(channels, put)
  }

  @inline(__always)
  func putMean(into target: UnsafeMutablePointer<Float>, channels: Int) {
    let count = Float(rows * columns)
    @inline(__always)
    func put(_ c: Int, _ lanes: Int) { store(reduced(c, lanes) { $0 + $1 } / count, target + c, lanes) }
    forEachVector(channels, put)
  }

  /// For complete windows, which are the majority, with constant bounds.
  @inline(__always)
  private func reduced(_ c: Int, _ lanes: Int, _ combine: (Vector, Vector) -> Vector) -> Vector {
    @inline(__always)
    func pixel(_ row: Int, _ column: Int) -> Vector { load(first + row * lineStride + column * pixelStride + c, lanes) }
    if rows == 3 && columns == 3 {
      let upper = combine(combine(pixel(0, 0), pixel(0, 1)), pixel(0, 2))
      let middle = combine(combine(pixel(1, 0), pixel(1, 1)), pixel(1, 2))
      let lower = combine(combine(pixel(2, 0), pixel(2, 1)), pixel(2, 2))
      return combine(combine(upper, middle), lower)
    }
    var result = pixel(0, 0)
    for index in 1..<max(rows * columns, 1) {
      result = combine(result, pixel(index / columns, index % columns))
    }
    return result
  }
}
