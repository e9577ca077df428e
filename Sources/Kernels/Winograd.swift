import Tensors

/// Stride-1 3x3 convolution with a border of one zero, by Winograd's F(4x4, 3x3): a quarter of the multiplications of
/// the direct sum.
///
/// An image is cut into tiles of 4x4 outputs. The 6x6 inputs under a tile become 36 points V, the 3x3 kernel becomes 36
/// points U, and the convolution becomes 36 independent matrix products M_p[tile, out] = V_p[tile, in]·U_p[in, out],
/// whose results are transformed back into 4x4 outputs. Tiles are taken in blocks that keep V and M in cache.
///
/// Layouts: V and M [36][tile][channel]; U in strips of 32 output channels, [36][strip][in][32], which is the order in
/// which the micro-kernel reads it. Any channel count and any height and width work; multiples of 16 and of 4 are fast.
public enum Winograd {
  /// Shape of one convolution; x is [images, height, width, inChannels], y is [images, height, width, outChannels].
  public struct Geometry: Sendable {
    public let images: Int
    public let height: Int
    public let width: Int
    public let inChannels: Int
    public let outChannels: Int

    public init(images: Int, height: Int, width: Int, inChannels: Int, outChannels: Int) {
      self.images = images
      self.height = height
      self.width = width
      self.inChannels = inChannels
      self.outChannels = outChannels
    }

    var tileRows: Int { (height + 3) / 4 }
    var tileColumns: Int { (width + 3) / 4 }
    var tilesPerImage: Int { tileRows * tileColumns }
    var tileCount: Int { images * tilesPerImage }
  }

  static let points = 36

  /// Floats that the transformed kernel U takes.
  public static func transformedKernelCount(inChannels: Int, outChannels: Int) -> Int {
    points * roundUp(outChannels, MicroKernel.columns) * inChannels
  }

  /// y = x ∗ kernel + bias (+ perImage + residual).
  ///
  /// - Parameters:
  ///   - transformedKernel: from `transformKernel`.
  ///   - y: overwritten.
  ///   - bias: [outChannels], added everywhere.
  ///   - perImage: [images, outChannels], added to every pixel of its image.
  ///   - residual: [images, height, width, outChannels].
  public static func convolve(
    x: UnsafePointer<Float>, transformedKernel: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
    geometry: Geometry, bias: UnsafePointer<Float>? = nil, perImage: UnsafePointer<Float>? = nil,
    residual: UnsafePointer<Float>? = nil, workers: WorkerPool
  ) {
    let depth = geometry.inChannels
    let strips = stripCount(geometry.outChannels)
    let blockSize = tilesPerBlock(geometry, workers: workers)
    workers.forEachRange(geometry.tileCount, grain: blockSize) { tiles in
      PointPlanes.withTwo(
        tiles: tiles.count, channels: roundUp(depth, 16), strips * MicroKernel.columns
      ) { input, product in
        transformInput(x, channels: depth, geometry: geometry, tiles: tiles, into: input)
        for point in 0..<points {
          for strip in 0..<strips {
            let u = transformedKernel + (point * strips + strip) * depth * MicroKernel.columns
            for row in stride(from: 0, to: tiles.count, by: MicroKernel.rows) {
              MicroKernel.multiply(
                depth: depth, a: input.row(point, row), rowStride: input.rowStride, depthStride: 1, b: u,
                bStride: MicroKernel.columns, c: product.row(point, row) + strip * MicroKernel.columns,
                cStride: product.rowStride, accumulates: false)
            }
          }
        }
        transformOutput(
          product, geometry: geometry, tiles: tiles, y: y, bias: bias, perImage: perImage, residual: residual)
      }
    }
  }

  /// dKernel += Σ over images and pixels of x ⊗ dy, with the kernel as [3, 3, in, out].
  ///
  /// Points are shared among the workers and tiles are summed in order, so the result does not depend on their number.
  public static func accumulateKernelGradient(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dKernel: UnsafeMutablePointer<Float>, geometry: Geometry,
    workers: WorkerPool
  ) {
    let depth = roundUp(geometry.inChannels, MicroKernel.rows)
    let strips = stripCount(geometry.outChannels)
    let blockSize = min(gradientTilesPerBlock, geometry.tileCount)
    withScratch(points * strips * depth * MicroKernel.columns) { gradient in
      PointPlanes.withTwo(
        tiles: blockSize, channels: roundUp(geometry.inChannels, 16), strips * MicroKernel.columns
      ) { input, output in
        for start in stride(from: 0, to: geometry.tileCount, by: blockSize) {
          let tiles = start..<min(start + blockSize, geometry.tileCount)
          workers.forEachRange(tiles.count, grain: 16) { part in
            let range = start + part.lowerBound..<start + part.upperBound
            transformInput(
              x, channels: geometry.inChannels, geometry: geometry, tiles: range, into: input,
              firstRow: part.lowerBound)
            transformOutputGradient(dy, geometry: geometry, tiles: range, into: output, firstRow: part.lowerBound)
          }
          workers.forEach(points * strips) { item in
            let (point, strip) = item.quotientAndRemainder(dividingBy: strips)
            let u = gradient + item * depth * MicroKernel.columns
            for row in stride(from: 0, to: depth, by: MicroKernel.rows) {
              MicroKernel.multiply(
                depth: tiles.count, a: input.row(point, 0) + row, rowStride: 1, depthStride: input.rowStride,
                b: output.row(point, 0) + strip * MicroKernel.columns, bStride: output.rowStride,
                c: u + row * MicroKernel.columns, cStride: MicroKernel.columns, accumulates: start > 0)
            }
          }
        }
      }
      accumulateKernelTaps(gradient, paddedDepth: depth, dKernel: dKernel, geometry: geometry, workers: workers)
    }
  }

  static func stripCount(_ outChannels: Int) -> Int { roundUp(outChannels, MicroKernel.columns) / MicroKernel.columns }

  /// Enough tiles that reading U is paid for, few enough that V and M stay in the outer caches. Each tile is computed
  /// alike in any block, so the number may follow the thread count.
  private static func tilesPerBlock(_ geometry: Geometry, workers: WorkerPool) -> Int {
    let share = roundUp((geometry.tileCount + workers.threadCount - 1) / workers.threadCount, MicroKernel.rows)
    return max(MicroKernel.rows, min(96, share))
  }

  private static let gradientTilesPerBlock = 128
}

/// Scratch for 36 matrices [tile][channel].
struct PointPlanes {
  let rowStride: Int
  private let planeStride: Int
  private let base: UnsafeMutablePointer<Float>

  /// Rows are padded to whole micro-kernel blocks. Planes are offset by an odd number of cache lines: 36 stores to
  /// addresses a power of two apart would fight for the same cache sets.
  private static func planeStride(tiles: Int, channels: Int) -> Int {
    let plane = roundUp(tiles, MicroKernel.rows) * channels
    return plane + (plane / 16 % 2 == 0 ? 16 : 0) + 64
  }

  /// Two sets of planes for the same tiles, while `body` runs.
  static func withTwo(
    tiles: Int, channels first: Int, _ second: Int, _ body: (_ first: PointPlanes, _ second: PointPlanes) -> Void
  ) {
    let strides = (planeStride(tiles: tiles, channels: first), planeStride(tiles: tiles, channels: second))
    withScratch(Winograd.points * strides.0) { a in
      withScratch(Winograd.points * strides.1) { b in
        body(
          PointPlanes(rowStride: first, planeStride: strides.0, base: a),
          PointPlanes(rowStride: second, planeStride: strides.1, base: b))
      }
    }
  }

  @inline(__always) func row(_ point: Int, _ row: Int) -> UnsafeMutablePointer<Float> {
    base + point * planeStride + row * rowStride
  }
}

@inline(__always) func roundUp(_ count: Int, _ multiple: Int) -> Int { (count + multiple - 1) / multiple * multiple }
