import Tensors

/// A convolution's patches as the rows of a matrix, so that the convolution is a matrix product.
package enum ImageToColumns {
  /// columns[n·Ho·Wo, kernelHeight·kernelWidth·channels]: row (n, oy, ox) holds the input under the kernel at (oy, ox),
  /// in the order of an HWIO kernel's rows, zeros outside the image.
  ///
  /// y = columns·kernel, kernel as [kernelHeight·kernelWidth·channels, outputChannels].
  ///
  /// - Parameters:
  ///   - x: [images, height, width, channels].
  ///   - columns: [patchCount, patchLength]; overwritten.
  package static func columns(of x: Tensor, into columns: Tensor, geometry: PatchGeometry, workers: WorkerPool) {
    check(x, columns, geometry)
    self.columns(of: x.pointer, into: columns.pointer, geometry: geometry, workers: workers)
  }

  static func columns(
    of x: UnsafePointer<Float>, into columns: UnsafeMutablePointer<Float>, geometry: PatchGeometry, workers: WorkerPool
  ) {
    let (channels, outputWidth) = (geometry.channels, geometry.outputWidth)
    let runLength = geometry.kernelWidth * channels
    workers.forEach(geometry.images * geometry.outputHeight) { row in
      let (image, oy) = (row / geometry.outputHeight, row % geometry.outputHeight)
      for ox in 0..<outputWidth {
        let left = ox * geometry.stride - geometry.padLeft
        let taps = max(0, -left)..<max(max(0, -left), min(geometry.kernelWidth, geometry.width - left))
        for ky in 0..<geometry.kernelHeight {
          let target = columns + (row * outputWidth + ox) * geometry.patchLength + ky * runLength
          let iy = oy * geometry.stride - geometry.padTop + ky
          guard iy >= 0 && iy < geometry.height && !taps.isEmpty else {
            clear(target, runLength)
            continue
          }
          let source = x + ((image * geometry.height + iy) * geometry.width + left + taps.lowerBound) * channels
          clear(target, taps.lowerBound * channels)
          Rows.copyRow(source, to: target + taps.lowerBound * channels, taps.count * channels)
          clear(target + taps.upperBound * channels, runLength - taps.upperBound * channels)
        }
      }
    }
  }

  /// The adjoint of `columns(of:)`: dx[n, iy, ix, c] = the sum of the elements of `columns` that were copied from there.
  ///
  /// - Parameters:
  ///   - columns: [patchCount, patchLength].
  ///   - dx: [images, height, width, channels]; overwritten.
  package static func addColumns(_ columns: Tensor, into dx: Tensor, geometry: PatchGeometry, workers: WorkerPool) {
    check(dx, columns, geometry)
    let (columns, dx) = (columns.pointer, dx.pointer)
    let (channels, outputWidth) = (geometry.channels, geometry.outputWidth)
    let runLength = geometry.kernelWidth * channels
    workers.forEach(geometry.images * geometry.height) { row in
      let (image, iy) = (row / geometry.height, row % geometry.height)
      let target = dx + row * geometry.width * channels
      clear(target, geometry.width * channels)
      for ky in 0..<geometry.kernelHeight {
        let top = iy + geometry.padTop - ky
        guard top >= 0 && top % geometry.stride == 0 && top / geometry.stride < geometry.outputHeight else { continue }
        let patchRow = image * geometry.outputHeight + top / geometry.stride
        for ox in 0..<outputWidth {
          let left = ox * geometry.stride - geometry.padLeft
          let first = max(0, -left)
          let end = min(geometry.kernelWidth, geometry.width - left)
          guard first < end else { continue }
          let source = columns + (patchRow * outputWidth + ox) * geometry.patchLength + ky * runLength
          Rows.addRow(
            source + first * channels, to: target + (left + first) * channels, (end - first) * channels)
        }
      }
    }
  }

  private static func check(_ x: Tensor, _ columns: Tensor, _ geometry: PatchGeometry) {
    verify(x.count == geometry.inputCount, "\(x.shape) is not the geometry's input")
    verify(columns.count == geometry.patchCount * geometry.patchLength, "one row per patch")
  }

  @inline(__always)
  private static func clear(_ target: UnsafeMutablePointer<Float>, _ count: Int) {
    target.update(repeating: 0, count: count)
  }
}
