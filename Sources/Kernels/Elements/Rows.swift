import MicroKernels
import Tensors

/// Operations on the rows of matrices [rows, channels]; an image batch [N, H, W, C] has N·H·W rows.
package enum Rows {
  /// Elements per item of work.
  static let grain = 1 << 15

  private static func rowsPerItem(_ channels: Int) -> Int { max(1, grain / max(channels, 1)) }

  /// sums[c] += Σ over rows of x[row, c]; used for the gradient of a bias.
  ///
  /// Blocks of rows, whose bounds depend only on the number of channels, are summed in single precision; the blocks'
  /// sums are added in order in double precision.
  package static func sumOfRows(_ x: Tensor, accumulatingInto sums: Tensor, workers: WorkerPool) {
    let channels = sums.count
    verify(channels > 0 && x.count % channels == 0, "rows of \(x.shape) do not have \(channels) elements")
    let (elements, rows, totals) = (x.pointer, x.count / channels, sums.pointer)
    let blockRows = ColumnSums.blockRows(columns: channels)
    let blocks = (rows + blockRows - 1) / blockRows
    withScratch(blocks * channels) { partials in
      workers.forEachRange(rows, grain: blockRows) { range in
        ColumnSums.sum(
          elements + range.lowerBound * channels, rows: range.count, columns: channels,
          into: partials + range.lowerBound / blockRows * channels)
      }
      for c in 0..<channels {
        var sum = 0.0
        for block in 0..<blocks { sum += Double(partials[block * channels + c]) }
        totals[c] += Float(sum)
      }
    }
  }

  /// x[n, …, c] += e[n, c]; used to add a time embedding to every pixel.
  package static func addPerImage(_ e: Tensor, to x: Tensor, workers: WorkerPool) {
    let (images, channels) = checkedImages(e, x)
    let pixels = x.count / max(e.count, 1)
    let (source, target) = (e.pointer, x.pointer)
    workers.forEachRange(images * pixels, grain: rowsPerItem(channels)) { range in
      for row in range { addRow(source + row / pixels * channels, to: target + row * channels, channels) }
    }
  }

  /// sums[n, c] = Σ over pixels of x[n, …, c]: the adjoint of `addPerImage`; overwrites. Each image is summed like
  /// `sumOfRows`.
  package static func sumOverPixels(_ x: Tensor, into sums: Tensor, workers: WorkerPool) {
    let (images, channels) = checkedImages(sums, x)
    sumOverPixels(
      x.pointer, into: sums.pointer, images: images, pixels: x.count / max(sums.count, 1), channels: channels,
      workers: workers)
  }

  static func sumOverPixels(
    _ x: UnsafePointer<Float>, into sums: UnsafeMutablePointer<Float>, images: Int, pixels: Int, channels: Int,
    workers: WorkerPool
  ) {
    let blockRows = ColumnSums.blockRows(columns: channels)
    workers.forEach(images) { image in
      let totals = Buffer<Double>(count: channels)
      withExtendedLifetime(totals) {
        let totals = totals.pointer
        totals.update(repeating: 0, count: channels)
        withScratch(channels) { partial in
          for first in stride(from: 0, to: pixels, by: blockRows) {
            ColumnSums.sum(
              x + (image * pixels + first) * channels, rows: min(blockRows, pixels - first), columns: channels,
              into: partial)
            for c in 0..<channels { totals[c] += Double(partial[c]) }
          }
        }
        for c in 0..<channels { sums[image * channels + c] = Float(totals[c]) }
      }
    }
  }

  /// The dimensions of [N, C] and [N, …, C], checked.
  private static func checkedImages(_ rows: Tensor, _ x: Tensor) -> (images: Int, channels: Int) {
    verify(
      rows.shape.count == 2 && x.shape.first == rows.shape[0] && x.shape.last == rows.shape[1],
      "\(rows.shape) does not have one row per image of \(x.shape)")
    return (rows.shape[0], rows.shape[1])
  }

  /// Copies one matrix into another.
  package static func copy(_ source: Matrix, into target: Matrix, workers: WorkerPool) {
    verify(
      source.rows == target.rows && source.columns == target.columns && source.isRowMajor && target.isRowMajor,
      "the matrices must be row-major and have the same shape")
    let (from, to) = (source.pointer, target.pointer)
    workers.forEachRange(source.rows, grain: rowsPerItem(source.columns)) { range in
      for row in range { copyRow(from + row * source.rowStride, to: to + row * target.rowStride, source.columns) }
    }
    withExtendedLifetime((source, target)) {}
  }

  @inline(__always)
  static func addRow(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ count: Int) {
    @inline(__always)
    func add(_ c: Int, _ lanes: Int) { store(load(target + c, lanes) + load(source + c, lanes), target + c, lanes) }
    forEachVector(count, add)
  }

  @inline(__always)
  static func copyRow(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ count: Int) {
    @inline(__always)
    func copy(_ c: Int, _ lanes: Int) { store(load(source + c, lanes), target + c, lanes) }
    forEachVector(count, copy)
  }
}
