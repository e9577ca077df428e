import Kernels
import Tensors

/// Bilinear resizing between the centres of pixels, as PyTorch's `interpolate` with `align_corners=False` and without
/// smoothing: an output's position in the input is (i + ½)·(input side / output side) − ½, at least 0; it is
/// interpolated between this pixel and the next one, or is the last pixel.
package enum BilinearResizing {
  /// y = scale·resized(x) + offset.
  ///
  /// - Parameters:
  ///   - x: [N, H, W, C], or [N, H, W, 1] whose only channel is repeated.
  ///   - y: [N, any height, any width, C]; overwritten.
  package static func resize(
    _ x: ImageView, into y: ImageView, scale: Float = 1, offset: Float = 0, workers: WorkerPool
  ) {
    verify(x.images == y.images && (x.channels == y.channels || x.channels == 1), "images or channels differ")
    verify(x.height > 0 && x.width > 0, "images must not be empty")
    let rows = mixes(from: x.height, to: y.height)
    let columns = mixes(from: x.width, to: y.width)
    let channelStep = x.channels == 1 ? 0 : 1
    workers.forEach(y.images * y.height) { line in
      let row = rows[line % y.height]
      let image = UnsafePointer(x.pointer + line / y.height * x.imageStride)
      let upper = image + row.first * x.width * x.pixelStride
      let lower = image + row.second * x.width * x.pixelStride
      var target = y.pointer + line * y.width * y.pixelStride
      for column in columns {
        let (left, right) = (column.first * x.pixelStride, column.second * x.pixelStride)
        for channel in 0..<y.channels {
          let c = channel * channelStep
          let top = upper[left + c] * column.firstWeight + upper[right + c] * column.secondWeight
          let bottom = lower[left + c] * column.firstWeight + lower[right + c] * column.secondWeight
          target[channel] = (top * row.firstWeight + bottom * row.secondWeight) * scale + offset
        }
        target += y.pixelStride
      }
    }
    withExtendedLifetime((x, y)) {}
  }

  /// The interpolation of an output along one side.
  private struct Mix {
    let first: Int
    let second: Int
    let firstWeight: Float
    let secondWeight: Float
  }

  private static func mixes(from source: Int, to target: Int) -> [Mix] {
    let ratio = Float(source) / Float(target)
    return (0..<target).map { index in
      let position = max((Float(index) + 0.5) * ratio - 0.5, 0)
      let first = min(Int(position), source - 1)
      let weight = position - Float(first)
      return Mix(first: first, second: min(first + 1, source - 1), firstWeight: 1 - weight, secondWeight: weight)
    }
  }
}
