import Tensors

/// A convolution's patches as the rows of a matrix, so that the convolution is a matrix product.
package enum ImageToColumns {
  /// columns[n·Ho·Wo, kernelHeight·kernelWidth·channels]: row (n, oy, ox) holds the input under the kernel at (oy, ox),
  /// in the order of an HWIO kernel's rows, with the values outside the image that `PatchGeometry` describes.
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
        let taps = geometry.tapsInside(left: left)
        for ky in 0..<geometry.kernelHeight {
          let target = columns + (row * outputWidth + ox) * geometry.patchLength + ky * runLength
          guard let iy = geometry.row(oy * geometry.stride - geometry.padTop + ky) else {
            clear(target, runLength)
            continue
          }
          let line = x + (image * geometry.height + iy) * geometry.width * channels
          @inline(__always)
          func putBorder(_ taps: Range<Int>) {
            guard geometry.periodicity.includesWidth else {
              return clear(target + taps.lowerBound * channels, taps.count * channels)
            }
            for tap in taps {
              let column = (left + tap).wrapped(at: geometry.width)
              Rows.copyRow(line + column * channels, to: target + tap * channels, channels)
            }
          }
          putBorder(0..<taps.lowerBound)
          if !taps.isEmpty {
            Rows.copyRow(
              line + (left + taps.lowerBound) * channels, to: target + taps.lowerBound * channels,
              taps.count * channels)
          }
          putBorder(taps.upperBound..<geometry.kernelWidth)
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
      for y in geometry.appearances(ofRow: iy) {
        for ky in 0..<geometry.kernelHeight {
          let top = y + geometry.padTop - ky
          guard top >= 0 && top % geometry.stride == 0 && top / geometry.stride < geometry.outputHeight else {
            continue
          }
          let patchRow = image * geometry.outputHeight + top / geometry.stride
          for ox in 0..<outputWidth {
            let left = ox * geometry.stride - geometry.padLeft
            let taps = geometry.tapsInside(left: left)
            let source = columns + (patchRow * outputWidth + ox) * geometry.patchLength + ky * runLength
            if !taps.isEmpty {
              Rows.addRow(
                source + taps.lowerBound * channels, to: target + (left + taps.lowerBound) * channels,
                taps.count * channels)
            }
            guard geometry.periodicity.includesWidth, taps.count < geometry.kernelWidth else { continue }
            for tap in 0..<geometry.kernelWidth where !taps.contains(tap) {
              let column = (left + tap).wrapped(at: geometry.width)
              Rows.addRow(source + tap * channels, to: target + column * channels, channels)
            }
          }
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

extension PatchGeometry {
  /// The row of the image at `y`; nil if zeros are there.
  @inline(__always)
  fileprivate func row(_ y: Int) -> Int? {
    if y >= 0 && y < height { return y }
    return periodicity.includesHeight ? y.wrapped(at: height) : nil
  }

  /// The positions at which patches see a row of the image: inside and, along a periodic axis, beyond the borders.
  fileprivate func appearances(ofRow row: Int) -> StrideTo<Int> {
    guard periodicity.includesHeight else { return Swift.stride(from: row, to: row + 1, by: 1) }
    return Swift.stride(from: row - (row + padTop) / height * height, to: height + padBottom, by: height)
  }

  /// The columns of a kernel that are inside the image if its first is at `left`.
  @inline(__always)
  fileprivate func tapsInside(left: Int) -> Range<Int> {
    let first = min(max(0, -left), kernelWidth)
    return first..<max(first, min(kernelWidth, width - left))
  }
}
