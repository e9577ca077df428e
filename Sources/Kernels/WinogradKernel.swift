import Tensors

/// Between 3x3 kernels [3, 3, in, out] and their points.
struct WinogradKernel {
  let taps: UnsafePointer<Float>
  let inChannels: Int
  let outChannels: Int
  /// Turned by half a turn, with inputs and outputs exchanged: the adjoint convolution, which takes dy to dx.
  let isAdjoint: Bool

  /// Channels that are summed over.
  var depth: Int { isAdjoint ? outChannels : inChannels }
  /// Channels of the result.
  var columns: Int { isAdjoint ? inChannels : outChannels }

  /// Floats from a point of a transformed strip to the next: [depth][strip.width], and some more so that the points of
  /// an element do not fight for the same sets of a cache.
  func pointStride(_ strip: Strip) -> Int { PointPlanes.oddLines(depth * strip.width) }

  /// U = G·g·Gᵀ of one strip of columns, [point][depth][strip.width] with `pointStride` from point to point.
  func transform<Line: LineTransform>(_: Line.Type, strip: Strip, into target: UnsafeMutablePointer<Float>) {
    let pointStride = pointStride(strip)
    withUnsafeTemporaryAllocation(of: Vector.self, capacity: 9 * 16 + Line.outputs * 3) { scratch in
      let block = scratch.baseAddress!
      for column in stride(from: 0, to: strip.width, by: vectorWidth) {
        let lanes = max(0, min(vectorWidth, strip.count - column))
        for first in stride(from: 0, to: depth, by: 16) {
          let depths = first..<min(first + 16, depth)
          loadTaps(depths: depths, column: strip.start + column, lanes: lanes, into: block)
          for row in 0..<depths.count {
            let start = target + (first + row) * strip.width + column
            Line.applyTwice(
              scratch: block + 9 * 16, { block[($0 * 3 + $1) * 16 + row] },
              { store16($2, start + ($0 * Line.outputs + $1) * pointStride) })
          }
        }
      }
    }
  }

  /// A block [tap][16][column] of up to 16 depths and up to 16 columns.
  @inline(__always)
  private func loadTaps(depths: Range<Int>, column: Int, lanes: Int, into block: VectorTable) {
    let isWhole = lanes == vectorWidth && depths.count == 16
    for tap in 0..<9 {
      if !isAdjoint {
        let source = taps + (tap * inChannels + depths.lowerBound) * outChannels + column
        for row in 0..<depths.count { block[tap * 16 + row] = load(source + row * outChannels, lanes) }
        continue
      }
      let source = taps + (tap * inChannels + column) * outChannels + depths.lowerBound
      let target = block + (8 - tap) * 16
      if !isWhole { for row in 0..<16 { target[row] = .zero } }
      target.withMemoryRebound(to: Float.self, capacity: 256) {
        Transposition.transpose(
          source, stride: outChannels, rows: lanes, columns: depths.count, into: $0, targetStride: 16)
      }
    }
  }

  /// Gᵀ·dU·G of some rows of one strip: adds to dKernel [3, 3, in, out], or overwrites it.
  ///
  /// - Parameters:
  ///   - gradient: dU, [point][row][strip.width] with `pointStride` from point to point; its first row is
  ///     `rows.lowerBound`.
  ///   - rows: input channels.
  static func putTapGradients<Line: LineTransform>(
    _: Line.Type, _ gradient: UnsafePointer<Float>, pointStride: Int, rows: Range<Int>, strip: Strip, inChannels: Int,
    outChannels: Int, into dKernel: UnsafeMutablePointer<Float>, accumulates: Bool
  ) {
    withUnsafeTemporaryAllocation(of: Vector.self, capacity: Line.outputs * Line.inputs) { scratch in
      for row in rows {
        let source = gradient + (row - rows.lowerBound) * strip.width
        @inline(__always)
        func put(_ column: Int, _ lanes: Int) {
          Line.applyTwice(
            scratch: scratch.baseAddress!, { load16(source + ($0 * Line.inputs + $1) * pointStride + column) },
            { i, j, value in
              let target = dKernel + ((i * 3 + j) * inChannels + row) * outChannels + strip.start + column
              store(accumulates ? load(target, lanes) + value : value, target, lanes)
            })
        }
        forEachVector(strip.count, put)
      }
    }
  }
}
