import CProcessor
import MicroKernels
import Tensors

/// Transforms between 3x3 kernels [3, 3, in, out] and their points.
struct WinogradWeights {
  let taps: UnsafePointer<Float>
  let inChannels: Int
  let outChannels: Int
  /// Rotated by 180°, with inputs and outputs exchanged: the adjoint convolution, which takes dy to dx.
  let isAdjoint: Bool

  /// Channels that are summed over.
  var depth: Int { isAdjoint ? outChannels : inChannels }
  /// Channels of the result.
  var columns: Int { isAdjoint ? inChannels : outChannels }

  /// The distance in floats from one point of a transformed strip to the next: [depth][strip.width], with padding so
  /// that the points of an element do not compete for the same cache sets.
  func pointStride(_ strip: Strip) -> Int { PointPlanes.oddLines(depth * strip.width) }

  /// U = G·g·Gᵀ of one strip of columns, [point][depth][strip.width] with stride `pointStride` between points.
  func transform<Line: LineTransform>(_: Line.Type, strip: Strip, into target: UnsafeMutablePointer<Float>) {
    let pointStride = pointStride(strip)
    withScratch(9 * roundUp(depth, 16) * vectorWidth, atLeast: 1 << 17) { taps in
      withUnsafeTemporaryAllocation(of: Vector.self, capacity: Line.scratchCount) { scratch in
        let tapStride = roundUp(depth, 16) * vectorWidth
        for column in stride(from: 0, to: strip.width, by: vectorWidth) {
          copyTaps(column: strip.start + column, lanes: min(vectorWidth, strip.count - column), into: taps, tapStride)
          @inline(__always)
          func transform(_ count: Int, from first: Int) {
            let source = UnsafePointer(taps + first * vectorWidth)
            let start = target + first * strip.width + column
            Line.applyTwice(
              count: count, scratch: scratch.baseAddress!, source: { source + ($0 * 3 + $1) * tapStride },
              sourceStride: vectorWidth
            ) { i, j, row, value in
              store16(value, start + (i * Line.outputs + j) * pointStride + row * strip.width)
            }
          }
          let whole = depth / 4 * 4
          for first in stride(from: 0, to: whole, by: 4) { transform(4, from: first) }
          for first in whole..<depth { transform(1, from: first) }
        }
      }
    }
  }

  /// All taps of up to 16 columns, [tap][depth][16], with zeros in missing columns. Kernels come from memory, so they
  /// are read in long contiguous runs.
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
          let origin = source + row * outChannels
          ddpm_prefetch(origin + 16 * outChannels)
          store(load(origin, lanes), target + tap * tapStride + row * vectorWidth, lanes)
        }
      }
    }
  }

  /// Gᵀ·dU·G of some rows of one strip: adds to dKernel [3, 3, in, out], or overwrites it.
  ///
  /// - Parameters:
  ///   - gradient: dU, [point][row][strip.width] with stride `pointStride` between points; its first row is
  ///     `rows.lowerBound`.
  ///   - rows: input channels.
  static func putTapGradients<Line: LineTransform>(
    _: Line.Type, _ gradient: UnsafePointer<Float>, pointStride: Int, rows: Range<Int>, strip: Strip, inChannels: Int,
    outChannels: Int, into dKernel: UnsafeMutablePointer<Float>, accumulates: Bool
  ) {
    let isWhole = strip.isWhole
    let vectors = strip.width / vectorWidth
    withUnsafeTemporaryAllocation(of: Vector.self, capacity: Line.scratchCount) { scratch in
      for row in 0..<rows.count {
        let source = gradient + row * strip.width
        let target = dKernel + (rows.lowerBound + row) * outChannels + strip.start
        let tapStride = inChannels * outChannels
        @inline(__always)
        func transform(_ count: Int, _ put: (_ i: Int, _ j: Int, _ vector: Int, Vector) -> Void) {
          Line.applyTwice(
            count: count, scratch: scratch.baseAddress!, source: { source + ($0 * Line.inputs + $1) * pointStride },
            sourceStride: vectorWidth, ahead: strip.width, firstAhead: 0, put)
        }
        @inline(__always)
        func putWhole(_ i: Int, _ j: Int, _ vector: Int, _ value: Vector) {
          let origin = target + (i * 3 + j) * tapStride + vector * vectorWidth
          ddpm_prefetch_to_write(origin + outChannels)
          store16(accumulates ? load16(origin) + value : value, origin)
        }
        if isWhole && vectors == 3 {
          transform(3, putWhole)
        } else if isWhole {
          transform(2, putWhole)
        } else {
          transform(vectors) { i, j, vector, value in
            let column = vector * vectorWidth
            if column >= strip.count { return }
            let (origin, lanes) = (target + (i * 3 + j) * tapStride + column, strip.count - column)
            store(accumulates ? load(origin, lanes) + value : value, origin, lanes)
          }
        }
      }
    }
  }
}
