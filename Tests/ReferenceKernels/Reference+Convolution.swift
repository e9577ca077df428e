import Kernels

extension Reference {
  /// y[n, oy, ox, o] = bias[o] + Σ over ky, kx, c of x[n, oy·stride − padTop + ky, ox·stride − padLeft + kx, c] ·
  /// kernel[ky, kx, c, o].
  ///
  /// - Parameters:
  ///   - kernel: [kernelHeight, kernelWidth, channels, outputChannels] (HWIO).
  ///   - bias: [outputChannels], or nil for zeros.
  /// - Returns: [images, outputHeight, outputWidth, outputChannels].
  package static func convolution<Scalar: BinaryFloatingPoint>(
    x: [Scalar], kernel: [Scalar], bias: [Scalar]?, geometry: PatchGeometry, outputChannels: Int
  ) -> [Scalar] {
    let (input, weights) = (doubles(x), doubles(kernel))
    let start = bias.map { doubles($0) } ?? [Double](repeating: 0, count: outputChannels)
    var y: [Double] = []
    y.reserveCapacity(geometry.patchCount * outputChannels)
    for patch in 0..<geometry.patchCount {
      var sums = start
      forEachTap(of: patch, geometry) { tap, pixel in
        for c in 0..<geometry.channels {
          let value = input[pixel * geometry.channels + c]
          let row = (tap * geometry.channels + c) * outputChannels
          for o in 0..<outputChannels { sums[o] += value * weights[row + o] }
        }
      }
      y += sums
    }
    return rounded(y)
  }

  /// Gradients of a loss with respect to a convolution's input, kernel and bias, given dy = ∂loss/∂y.
  package static func convolutionBackward<Scalar: BinaryFloatingPoint>(
    x: [Scalar], kernel: [Scalar], dy: [Scalar], geometry: PatchGeometry, outputChannels: Int
  ) -> (dx: [Scalar], dKernel: [Scalar], dBias: [Scalar]) {
    let (input, weights, gradient) = (doubles(x), doubles(kernel), doubles(dy))
    var dx = [Double](repeating: 0, count: x.count)
    var dKernel = [Double](repeating: 0, count: kernel.count)
    var dBias = [Double](repeating: 0, count: outputChannels)
    for patch in 0..<geometry.patchCount {
      for o in 0..<outputChannels { dBias[o] += gradient[patch * outputChannels + o] }
      forEachTap(of: patch, geometry) { tap, pixel in
        for c in 0..<geometry.channels {
          let element = pixel * geometry.channels + c
          let row = (tap * geometry.channels + c) * outputChannels
          for o in 0..<outputChannels {
            dx[element] += gradient[patch * outputChannels + o] * weights[row + o]
            dKernel[row + o] += gradient[patch * outputChannels + o] * input[element]
          }
        }
      }
    }
    return (rounded(dx), rounded(dKernel), rounded(dBias))
  }

  /// The matrix of patches [images·outputHeight·outputWidth, kernelHeight·kernelWidth·channels].
  package static func columns<Scalar: BinaryFloatingPoint>(x: [Scalar], geometry: PatchGeometry) -> [Scalar] {
    var columns = [Scalar](repeating: 0, count: geometry.patchCount * geometry.patchLength)
    for patch in 0..<geometry.patchCount {
      forEachTap(of: patch, geometry) { tap, pixel in
        for c in 0..<geometry.channels {
          columns[patch * geometry.patchLength + tap * geometry.channels + c] = x[pixel * geometry.channels + c]
        }
      }
    }
    return columns
  }

  /// Calls `body` with (ky·kernelWidth + kx, index of the input pixel) for each tap of a patch that is in the image or,
  /// along a periodic axis, in one of its repetitions.
  private static func forEachTap(of patch: Int, _ geometry: PatchGeometry, _ body: (Int, Int) -> Void) {
    let image = patch / (geometry.outputHeight * geometry.outputWidth)
    let oy = patch / geometry.outputWidth % geometry.outputHeight
    let ox = patch % geometry.outputWidth
    for ky in 0..<geometry.kernelHeight {
      let row = oy * geometry.stride - geometry.padTop + ky
      guard let y = pixel(at: row, of: geometry.height, isPeriodic: geometry.periodicity.includesHeight) else {
        continue
      }
      for kx in 0..<geometry.kernelWidth {
        let column = ox * geometry.stride - geometry.padLeft + kx
        guard let x = pixel(at: column, of: geometry.width, isPeriodic: geometry.periodicity.includesWidth) else {
          continue
        }
        body(ky * geometry.kernelWidth + kx, (image * geometry.height + y) * geometry.width + x)
      }
    }
  }
}

extension PatchGeometry {
  /// A square kernel with the same padding on all sides.
  package init(
    images: Int, height: Int, width: Int, channels: Int, kernelSize: Int, stride: Int = 1, pad: Int,
    periodicity: Periodicity = .none
  ) {
    self.init(
      images: images, height: height, width: width, channels: channels, kernelHeight: kernelSize,
      kernelWidth: kernelSize, stride: stride, padTop: pad, padLeft: pad, padBottom: pad, padRight: pad,
      periodicity: periodicity)
  }
}
