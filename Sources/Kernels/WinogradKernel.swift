import CProcessor
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
    withScratch(9 * roundUp(depth, 16) * vectorWidth, atLeast: 1 << 17) { taps in
      withUnsafeTemporaryAllocation(of: Vector.self, capacity: Line.outputs * 3 * 16) { scratch in
        let tapStride = roundUp(depth, 16) * vectorWidth
        for column in stride(from: 0, to: strip.width, by: vectorWidth) {
          copyTaps(column: strip.start + column, lanes: min(vectorWidth, strip.count - column), into: taps, tapStride)
          for first in stride(from: 0, to: depth, by: 16) {
            let source = taps + first * vectorWidth
            let start = target + first * strip.width + column
            Line.applyTwice(
              count: min(16, depth - first), scratch: scratch.baseAddress!,
              { load16(source + ($0 * 3 + $1) * tapStride + $2 * vectorWidth) },
              { store16($3, start + ($0 * Line.outputs + $1) * pointStride + $2 * strip.width) })
          }
        }
      }
    }
  }

  /// All taps of up to 16 columns, [tap][depth][16], zeros in the columns that do not exist. Kernels come from memory,
  /// so they are read in long runs.
  private func copyTaps(
    column: Int, lanes: Int, into target: UnsafeMutablePointer<Float>, _ tapStride: Int
  ) {
    if lanes < vectorWidth { target.update(repeating: 0, count: 9 * tapStride) }
    if lanes <= 0 { return }
    for tap in 0..<9 {
      if isAdjoint {
        Transposition.transpose(
          taps + (tap * inChannels + column) * outChannels, stride: outChannels, rows: lanes, columns: depth,
          into: target + (8 - tap) * tapStride, targetStride: vectorWidth)
      } else {
        let source = taps + tap * inChannels * outChannels + column
        for row in 0..<depth {
          let place = source + row * outChannels
          ddpm_prefetch(place + 16 * outChannels)
          store(load(place, lanes), target + tap * tapStride + row * vectorWidth, lanes)
        }
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
    let isWhole = strip.isWhole
    let vectors = strip.width / vectorWidth
    // Rows follow each other without a gap, so the vectors of several are taken together.
    let together = max(1, 12 / vectors)
    withUnsafeTemporaryAllocation(of: Vector.self, capacity: Line.outputs * Line.inputs * vectors * together) {
      let scratch = $0.baseAddress!
      for first in stride(from: rows.lowerBound, to: rows.upperBound, by: together) {
        let source = gradient + (first - rows.lowerBound) * strip.width
        Line.applyTwice(
          count: vectors * min(together, rows.upperBound - first), scratch: scratch,
          { load16(source + ($0 * Line.inputs + $1) * pointStride + $2 * vectorWidth) },
          { i, j, vector, value in
            let (row, part) = vector.quotientAndRemainder(dividingBy: vectors)
            let column = part * vectorWidth
            let target = dKernel + ((i * 3 + j) * inChannels + first + row) * outChannels + strip.start + column
            if isWhole {
              store16(accumulates ? load16(target) + value : value, target)
            } else if column < strip.count {
              let lanes = strip.count - column
              store(accumulates ? load(target, lanes) + value : value, target, lanes)
            }
          })
      }
    }
  }
}
