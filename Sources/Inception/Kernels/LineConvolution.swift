import Kernels
import MicroKernels
import Tensors

/// A stride-1 convolution with a kernel of one row or one column of 3 or 7 taps, whose weights do not change, for
/// inference: y = max(x ∗ kernel + bias, 0), as large as x, written to a range of y's channels.
///
/// Each line of pixels is divided into tiles of 4 outputs; see `LinePoints`. The kernel's points are computed once.
/// Some tiles are transformed together and processed for all strips of output channels. A tile's result does not depend
/// on other tiles.
package struct LineConvolution: Sendable {
  package enum Direction: Sendable {
    /// A kernel of one row.
    case alongRows
    /// A kernel of one column.
    case alongColumns
  }

  package static let tapCounts = [3, 7]

  private let inChannels: Int
  private let outChannels: Int
  private let tapCount: Int
  private let direction: Direction
  private let strips: [Strip]
  private let pointCount: Int
  /// The kernel's points, [strip][point][in][strip.width].
  private let points: FloatBuffer
  private let bias: FloatBuffer

  /// - Parameters:
  ///   - kernel: [taps, in, out].
  ///   - bias: [out].
  ///   - tapCount: 3 or 7.
  package init(
    inChannels: Int, outChannels: Int, tapCount: Int, direction: Direction, kernel: [Float], bias: [Float]
  ) {
    verify(Self.tapCounts.contains(tapCount), "there must be 3 or 7 taps")
    verify(kernel.count == tapCount * inChannels * outChannels && bias.count == outChannels, "wrong parameters")
    self.inChannels = inChannels
    self.outChannels = outChannels
    self.tapCount = tapCount
    self.direction = direction
    let weights = tapCount == 3 ? SixLinePoints.kernelWeights : TenLinePoints.kernelWeights
    pointCount = weights.count
    strips = Strip.covering(outChannels)
    let columns = strips.reduce(0) { $0 + $1.width }
    points = FloatBuffer(count: pointCount * inChannels * columns)
    self.bias = Tensor(bias, shape: [outChannels]).buffer
    for strip in strips {
      let target = points.pointer + pointCount * inChannels * strip.start
      for point in 0..<pointCount {
        for row in 0..<inChannels {
          for column in 0..<strip.width {
            var sum = 0.0
            if column < strip.count {
              for tap in 0..<tapCount {
                let index = (tap * inChannels + row) * outChannels + strip.start + column
                sum += weights[point][tap] * Double(kernel[index])
              }
            }
            target[(point * inChannels + row) * strip.width + column] = Float(sum)
          }
        }
      }
    }
  }

  /// - Parameters:
  ///   - x: [N, H, W, in].
  ///   - y: [N, H, W, out]; overwritten.
  package func callAsFunction(_ x: ImageView, into y: ImageView, workers: WorkerPool) {
    verify(x.channels == inChannels && y.channels == outChannels, "the channels do not fit the kernel")
    verify(x.images == y.images && x.height == y.height && x.width == y.width, "the result must be as large as x")
    if tapCount == 3 {
      run(SixLinePoints.self, x, y, workers: workers)
    } else {
      run(TenLinePoints.self, x, y, workers: workers)
    }
    withExtendedLifetime((x, y)) {}
  }

  /// The number of tiles processed together for all strips: their points stay in the second-level cache beside a
  /// strip's.
  private static let maximumTiles = 128
  /// The minimum number of tiles per thread that justifies reading the kernel's points once more.
  private static let minimumTiles = 32

  /// The minimum scratch memory for the points of tiles and those of a strip, in floats: enough for Inception's layers.
  private static let minimumPoints = 1 << 19
  private static let minimumStrip = 1 << 17

  private func run<Points: LinePoints>(_: Points.Type, _ x: ImageView, _ y: ImageView, workers: WorkerPool) {
    let lines = LineTiles(x, tapCount: tapCount, direction: direction)
    let count = lines.count
    let blocks = max(
      (count + Self.maximumTiles - 1) / Self.maximumTiles, min(workers.threadCount, count / Self.minimumTiles))
    let kernel = MicroKernel.best
    workers.forEach(blocks) { block in
      let tiles = block * count / blocks..<(block + 1) * count / blocks
      PointPlanes.with(points: pointCount, tiles: tiles.count, channels: inChannels, atLeast: Self.minimumPoints) { v in
        transformInput(Points.Input.self, of: x, lines, tiles: tiles, into: v)
        for strip in strips {
          PointPlanes.with(points: pointCount, tiles: tiles.count, channels: strip.width, atLeast: Self.minimumStrip) {
            m in
            let stripPoints = points.pointer + pointCount * inChannels * strip.start
            for point in 0..<pointCount {
              for row in stride(from: 0, to: tiles.count, by: MicroKernel.rows) {
                kernel.multiply(
                  width: strip.width, depth: inChannels, a: v.row(point, row), rowStride: v.rowStride, depthStride: 1,
                  b: stripPoints + point * inChannels * strip.width, bStride: strip.width, c: m.row(point, row),
                  cStride: m.rowStride, accumulates: false)
              }
            }
            transformOutput(Points.Output.self, from: m, lines, tiles: tiles, strip: strip, into: y)
          }
        }
      }
    }
  }

  private func transformInput<Line: LineTransform>(
    _: Line.Type, of x: ImageView, _ lines: LineTiles, tiles: Range<Int>, into v: PointPlanes
  ) {
    withScratch(roundUp(inChannels, vectorWidth)) { (zeros: UnsafeMutablePointer<Float>) -> Void in
      zeros.update(repeating: 0, count: roundUp(inChannels, vectorWidth))
      let outside = UnsafePointer(zeros)
      withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: Line.inputs) { pointers -> Void in
        for (row, tile) in tiles.enumerated() {
          let line = lines.line(ofTile: tile)
          for index in 0..<Line.inputs {
            let position = line.first - tapCount / 2 + index
            let isInside = 0 <= position && position < lines.length
            let pixel = line.origin + position * lines.step
            pointers[index] = isInside ? UnsafePointer(x.pointer + pixel * x.pixelStride) : outside
          }
          let target = v.row(0, row)
          @inline(__always)
          func transform(_ c: Int, _ lanes: Int) {
            Line.apply({ load(pointers[$0] + c, lanes) }) { store16($1, target + $0 * v.planeStride + c) }
          }
          forEachVector(inChannels, transform)
        }
      }
    }
  }

  private func transformOutput<Line: LineTransform>(
    _: Line.Type, from m: PointPlanes, _ lines: LineTiles, tiles: Range<Int>, strip: Strip, into y: ImageView
  ) {
    for (row, tile) in tiles.enumerated() {
      let line = lines.line(ofTile: tile)
      let count = min(Line.outputs, lines.length - line.first)
      let source = UnsafePointer(m.row(0, row))
      let target = y.pointer + (line.origin + line.first * lines.step) * y.pixelStride + strip.start
      let step = lines.step * y.pixelStride
      @inline(__always)
      func transform(_ c: Int, _ lanes: Int) {
        let offset = load(bias.pointer + strip.start + c, lanes)
        Line.apply({ load16(source + $0 * m.planeStride + c) }) { output, value in
          if output < count { store((value + offset).limited(below: 0), target + output * step + c, lanes) }
        }
      }
      forEachVector(strip.count, transform)
    }
  }
}

/// The tiles of all lines of images, in the direction of a kernel.
private struct LineTiles {
  /// The number of pixels in a line.
  let length: Int
  /// The distance in pixels between consecutive pixels of a line.
  let step: Int
  let count: Int
  private let height: Int
  private let width: Int
  private let tilesPerLine: Int
  private let isVertical: Bool

  init(_ x: ImageView, tapCount: Int, direction: LineConvolution.Direction) {
    (height, width) = (x.height, x.width)
    isVertical = direction == .alongColumns
    (length, step) = isVertical ? (height, width) : (width, 1)
    tilesPerLine = (length + 3) / 4
    count = x.images * (isVertical ? width : height) * tilesPerLine
  }

  /// - Returns: the index of the line's first pixel among those of all images, and of the tile's first pixel in the
  ///   line.
  @inline(__always)
  func line(ofTile tile: Int) -> (origin: Int, first: Int) {
    if isVertical {
      // Neighbouring tiles are adjacent, as in memory.
      let (row, column) = tile.quotientAndRemainder(dividingBy: width)
      let (image, tile) = row.quotientAndRemainder(dividingBy: tilesPerLine)
      return (image * height * width + column, 4 * tile)
    }
    let (row, number) = tile.quotientAndRemainder(dividingBy: tilesPerLine)
    return (row * width, 4 * number)
  }
}
