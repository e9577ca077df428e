import Inception
import ReferenceKernels

extension Reference {
  /// The maximum or the mean of each 3x3 window's pixels inside the image; see `Pooling`.
  ///
  /// - Parameter x: [images, height, width, channels].
  static func pooled<Scalar: BinaryFloatingPoint>(
    x: [Scalar], images: Int, height: Int, width: Int, channels: Int, kind: Pooling, stride: Int, pad: Int
  ) -> [Scalar] {
    let outputHeight = Pooling.outputSide(height, stride: stride, pad: pad)
    let outputWidth = Pooling.outputSide(width, stride: stride, pad: pad)
    var y: [Double] = []
    for image in 0..<images {
      for oy in 0..<outputHeight {
        for ox in 0..<outputWidth {
          for c in 0..<channels {
            var seen: [Double] = []
            for iy in oy * stride - pad..<oy * stride - pad + 3 where 0 <= iy && iy < height {
              for ix in ox * stride - pad..<ox * stride - pad + 3 where 0 <= ix && ix < width {
                seen.append(Double(x[((image * height + iy) * width + ix) * channels + c]))
              }
            }
            switch kind {
            case .maximum: y.append(seen.max()!)
            case .mean: y.append(seen.reduce(0, +) / Double(seen.count))
            }
          }
        }
      }
    }
    return y.map { Scalar($0) }
  }

  /// x [images, height, width, channels] resized to [images, newHeight, newWidth, channels]; see `BilinearResizing`.
  static func resized<Scalar: BinaryFloatingPoint>(
    x: [Scalar], images: Int, height: Int, width: Int, channels: Int, newHeight: Int, newWidth: Int
  ) -> [Scalar] {
    func neighbours(_ index: Int, _ side: Int, _ newSide: Int) -> (Int, Int, Double) {
      let position = max(0, (Double(index) + 0.5) * Double(side) / Double(newSide) - 0.5)
      let first = Int(position.rounded(.down))
      return (first, min(first + 1, side - 1), position - Double(first))
    }
    var y: [Double] = []
    for image in 0..<images {
      for oy in 0..<newHeight {
        let (top, bottom, down) = neighbours(oy, height, newHeight)
        for ox in 0..<newWidth {
          let (left, right, across) = neighbours(ox, width, newWidth)
          for c in 0..<channels {
            func pixel(_ iy: Int, _ ix: Int) -> Double {
              Double(x[((image * height + iy) * width + ix) * channels + c])
            }
            let above = pixel(top, left) * (1 - across) + pixel(top, right) * across
            let below = pixel(bottom, left) * (1 - across) + pixel(bottom, right) * across
            y.append(above * (1 - down) + below * down)
          }
        }
      }
    }
    return y.map { Scalar($0) }
  }
}
