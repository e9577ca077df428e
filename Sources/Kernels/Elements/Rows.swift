import MicroKernels
import Tensors

/// Operations on the rows of matrices [rows, channels]; an image batch [N, H, W, C] has N·H·W rows.
public enum Rows {
  /// Elements per item of work.
  static let grain = 1 << 15

  private static func rowsPerItem(_ channels: Int) -> Int { max(1, grain / max(channels, 1)) }

  /// sums[c] += Σ over rows of x[row, c]; used for the gradient of a bias.
  ///
  /// Blocks of rows, whose bounds depend only on `channels`, are summed in single precision; the blocks' sums are added
  /// in order in double precision.
  package static func sumOfRows(
    _ x: UnsafePointer<Float>, rows: Int, channels: Int, accumulatingInto sums: UnsafeMutablePointer<Float>,
    workers: WorkerPool
  ) {
    let blockRows = ColumnSums.blockRows(columns: channels)
    let blocks = (rows + blockRows - 1) / blockRows
    withScratch(blocks * channels) { partials in
      workers.forEachRange(rows, grain: blockRows) { range in
        ColumnSums.sum(
          x + range.lowerBound * channels, rows: range.count, columns: channels,
          into: partials + range.lowerBound / blockRows * channels)
      }
      for c in 0..<channels {
        var sum = 0.0
        for block in 0..<blocks { sum += Double(partials[block * channels + c]) }
        sums[c] += Float(sum)
      }
    }
  }

  /// x[n, p, c] += e[n, c]; used to add a time embedding to every pixel.
  package static func addPerImage(
    _ e: UnsafePointer<Float>, to x: UnsafeMutablePointer<Float>, images: Int, pixels: Int, channels: Int,
    workers: WorkerPool
  ) {
    workers.forEachRange(images * pixels, grain: rowsPerItem(channels)) { range in
      for row in range { addRow(e + row / pixels * channels, to: x + row * channels, channels) }
    }
  }

  /// sums[n, c] = Σ over pixels of x[n, p, c]: the adjoint of `addPerImage`; overwrites. Each image is summed like
  /// `sumOfRows`.
  package static func sumOverPixels(
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

  /// target[row, c] = source[row, c] for some columns of two matrices.
  package static func copyColumns(
    of source: UnsafePointer<Float>, rowStride sourceStride: Int, into target: UnsafeMutablePointer<Float>,
    rowStride targetStride: Int, rows: Int, columns: Int, workers: WorkerPool
  ) {
    workers.forEachRange(rows, grain: rowsPerItem(columns)) { range in
      for row in range { copyRow(source + row * sourceStride, to: target + row * targetStride, columns) }
    }
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
