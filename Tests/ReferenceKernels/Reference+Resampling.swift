import Kernels

extension Reference {
  /// Repeats every pixel of x [images, height, width, channels] four times: y[n, i, j, c] = x[n, i / 2, j / 2, c].
  package static func upsampleNearest<Scalar: BinaryFloatingPoint>(
    x: [Scalar], images: Int, height: Int, width: Int, channels: Int
  ) -> [Scalar] {
    var y = [Scalar](repeating: 0, count: 4 * x.count)
    forEachUpsampled(images, height, width, channels) { fine, coarse in y[fine] = x[coarse] }
    return y
  }

  /// dx [images, height, width, channels]: the sum of the four pixels of dy that came from each pixel of x.
  package static func upsampleNearestBackward<Scalar: BinaryFloatingPoint>(
    dy: [Scalar], images: Int, height: Int, width: Int, channels: Int
  ) -> [Scalar] {
    var dx = [Double](repeating: 0, count: dy.count / 4)
    forEachUpsampled(images, height, width, channels) { fine, coarse in dx[coarse] += Double(dy[fine]) }
    return rounded(dx)
  }

  private static func forEachUpsampled(
    _ images: Int, _ height: Int, _ width: Int, _ channels: Int, _ body: (_ fine: Int, _ coarse: Int) -> Void
  ) {
    for image in 0..<images {
      for i in 0..<2 * height {
        for j in 0..<2 * width {
          for c in 0..<channels {
            let fine = ((image * 2 * height + i) * 2 * width + j) * channels + c
            let coarse = ((image * height + i / 2) * width + j / 2) * channels + c
            body(fine, coarse)
          }
        }
      }
    }
  }
}

extension Reference {
  /// upfirdn by its definition, along both axes: insert zeros, add zeros at the ends, compute every product of a
  /// kernel's tap and a pixel, and keep every `down`-th result. y is the result of the kernel kernel·kernelᵀ.
  ///
  /// - Parameters:
  ///   - x: [images, height, width, channels].
  ///   - before: zeros at the left and top; negative to remove pixels.
  ///   - after: the same at the right and bottom.
  ///   - periodicity: the axes along which x is repeated at the ends, instead of adding zeros.
  /// - Returns: [images, height′, width′, channels] with height′ = (up·height + before + after − taps)/down + 1.
  package static func upfirdn<Scalar: BinaryFloatingPoint>(
    x: [Scalar], images: Int, height: Int, width: Int, channels: Int, kernel: [Double], up: Int = 1, down: Int = 1,
    before: Int, after: Int, periodicity: Periodicity = .none
  ) -> [Scalar] {
    let (tall, wide) = (up * height + before + after, up * width + before + after)
    let taps = kernel.count
    let (outHeight, outWidth) = ((tall - taps) / down + 1, (wide - taps) / down + 1)
    var y: [Double] = []
    for image in 0..<images {
      for c in 0..<channels {
        var spread = [Double](repeating: 0, count: tall * wide)
        for row in 0..<tall {
          for column in 0..<wide {
            guard let i = pixel(at: row - before, of: up * height, isPeriodic: periodicity.includesHeight),
              let j = pixel(at: column - before, of: up * width, isPeriodic: periodicity.includesWidth),
              i.isMultiple(of: up), j.isMultiple(of: up)
            else { continue }
            spread[row * wide + column] = Double(x[((image * height + i / up) * width + j / up) * channels + c])
          }
        }
        for i in 0..<outHeight {
          for j in 0..<outWidth {
            var sum = 0.0
            for a in 0..<taps {
              for b in 0..<taps {
                sum += kernel[taps - 1 - a] * kernel[taps - 1 - b] * spread[(down * i + a) * wide + down * j + b]
              }
            }
            y.append(sum)
          }
        }
      }
    }
    // From [images, channels, height′, width′].
    let pixels = outHeight * outWidth
    return rounded(
      (0..<y.count).map { index in
        let (image, pixel, c) = (index / (pixels * channels), index / channels % pixels, index % channels)
        return y[(image * channels + c) * pixels + pixel]
      })
  }
}
