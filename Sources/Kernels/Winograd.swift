import Tensors

/// Stride-1 3x3 convolution with a border of one zero, by Winograd's F(4x4, 3x3): a quarter of the multiplications of
/// the direct sum; optionally of an image that is first enlarged twofold by repeating pixels, with a sixth of them.
///
/// The result is cut into tiles of 4x4 pixels. The 6x6 inputs under a tile become 36 points V (25 where the input is
/// enlarged), the 3x3 kernel becomes as many points U, and the convolution becomes as many independent matrix products
/// M_p[tile, out] = V_p[tile, in]·U_p[in, out], whose results are transformed back into 4x4 outputs.
///
/// Some hundred tiles are transformed together. Then each strip of 32 or 48 output channels is done from beginning to
/// end: its kernels are transformed, multiplied and the products transformed back, so that U and M never leave the
/// caches and are never stored. Transforming a kernel again for every block of tiles costs some 3%, much less than
/// writing all U to memory and reading it back, and needs no memory.
///
/// V is [point][tile][in], M [point][tile][out of the strip], U [point][in][out of the strip]. Any channel count, height
/// and width work; multiples of 16 and of 4 are fast. A tile's result does not depend on what is computed beside it.
public enum Winograd {
  /// Shape of one convolution.
  public struct Geometry: Sendable, Equatable {
    public let images: Int
    /// Height and width of the result.
    public let height: Int
    public let width: Int
    public let inChannels: Int
    public let outChannels: Int
    /// Whether x has half the result's height and width, and each of its pixels counts as 2x2 equal ones.
    public let enlargesInput: Bool

    public init(
      images: Int, height: Int, width: Int, inChannels: Int, outChannels: Int, enlargesInput: Bool = false
    ) {
      precondition(!enlargesInput || (height % 2 == 0 && width % 2 == 0), "an enlarged image has even sides")
      self.images = images
      self.height = height
      self.width = width
      self.inChannels = inChannels
      self.outChannels = outChannels
      self.enlargesInput = enlargesInput
    }

    var tileRows: Int { (height + 3) / 4 }
    var tileColumns: Int { (width + 3) / 4 }
    var tileCount: Int { images * tileRows * tileColumns }

    /// Windows of `size` pixels on the images in full resolution, or on those of half the height and width.
    func windows(channels: Int, size: Int, rim: Int, isHalved: Bool) -> TileWindows {
      let divisor = isHalved ? 2 : 1
      return TileWindows(
        height: height / divisor, width: width / divisor, channels: channels, tileRows: tileRows,
        tileColumns: tileColumns, step: 4 / divisor, size: size, rim: rim)
    }

    var inputWindows: TileWindows {
      windows(channels: inChannels, size: enlargesInput ? 4 : 6, rim: 1, isHalved: enlargesInput)
    }
    var outputWindows: TileWindows { windows(channels: outChannels, size: 4, rim: 0, isHalved: false) }
  }

  /// y = enlarged(x) ∗ kernel + bias + perImage + residual.
  ///
  /// - Parameters:
  ///   - x: [images, height, width, inChannels], or half as high and wide.
  ///   - kernel: [3, 3, inChannels, outChannels].
  ///   - y: [images, height, width, outChannels]; overwritten.
  ///   - bias: [outChannels], added everywhere.
  ///   - perImage: [images, outChannels], added to every pixel of its image.
  ///   - residual: like y.
  public static func convolve(
    x: UnsafePointer<Float>, kernel: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, geometry: Geometry,
    bias: UnsafePointer<Float>? = nil, perImage: UnsafePointer<Float>? = nil, residual: UnsafePointer<Float>? = nil,
    workers: WorkerPool
  ) {
    let pass = WinogradPass(
      x: x, inputs: geometry.inputWindows,
      kernel: WinogradKernel(
        taps: kernel, inChannels: geometry.inChannels, outChannels: geometry.outChannels, isAdjoint: false),
      y: y, outputs: geometry.outputWindows, tileCount: geometry.tileCount,
      addends: WinogradTiles.Addends(bias: bias, perImage: perImage, residual: residual))
    if geometry.enlargesInput {
      pass.run(EnlargedPoints.self, workers: workers)
    } else {
      pass.run(SixPoints.self, workers: workers)
    }
  }

  /// The gradient of `convolve` with respect to x: dx = addend + its adjoint applied to dy.
  ///
  /// - Parameters:
  ///   - dy: [images, height, width, outChannels].
  ///   - dx: like x; overwritten.
  ///   - addend: like x; may be dx.
  public static func propagateGradient(
    dy: UnsafePointer<Float>, kernel: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, geometry: Geometry,
    addend: UnsafePointer<Float>? = nil, workers: WorkerPool
  ) {
    let halves = geometry.enlargesInput
    let pass = WinogradPass(
      x: dy, inputs: geometry.windows(channels: geometry.outChannels, size: 6, rim: 1, isHalved: false),
      kernel: WinogradKernel(
        taps: kernel, inChannels: geometry.inChannels, outChannels: geometry.outChannels, isAdjoint: true),
      y: dx, outputs: geometry.windows(channels: geometry.inChannels, size: halves ? 2 : 4, rim: 0, isHalved: halves),
      tileCount: geometry.tileCount, addends: WinogradTiles.Addends(residual: addend))
    if halves {
      pass.run(PooledPoints.self, workers: workers)
    } else {
      pass.run(SixPoints.self, workers: workers)
    }
  }

  /// The gradient of `convolve` with respect to the kernel: dKernel += Σ over images and pixels of x ⊗ dy. The sum is
  /// complete before it is added to dKernel.
  ///
  /// Tiles are summed in order, in blocks that depend on the shape alone, so the result does not depend on the number of
  /// threads.
  public static func accumulateKernelGradient(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dKernel: UnsafeMutablePointer<Float>, geometry: Geometry,
    workers: WorkerPool
  ) {
    let pass = WinogradKernelGradient(x: x, dy: dy, dKernel: dKernel, geometry: geometry)
    if geometry.enlargesInput {
      pass.run(EnlargedPoints.self, workers: workers)
    } else {
      pass.run(SixPoints.self, workers: workers)
    }
  }

  /// Tiles that are transformed together: enough to pay for transforming the kernels, few enough for V to stay in the
  /// last-level cache beside that of other ranks. Equal parts of `tileCount`.
  static func tilesPerBlock(tileCount: Int, channels: Int) -> Int {
    let most = max(64, min(256, maximalBlock / channels))
    let blocks = (tileCount + most - 1) / most
    return roundUp((tileCount + blocks - 1) / blocks, MicroKernel.rows)
  }

  /// Tiles x channels of a block: 7 MiB of V.
  private static let maximalBlock = 51200

  /// Into how many parts to cut the tiles of a strip, or the rows of its gradient, so that all threads have work.
  static func parts(strips: Int, workers: WorkerPool) -> Int {
    if workers.threadCount == 1 || strips % workers.threadCount == 0 { return 1 }
    return (4 * workers.threadCount + strips - 1) / strips
  }
}

/// One convolution, or its adjoint.
struct WinogradPass {
  let x: UnsafePointer<Float>
  let inputs: TileWindows
  let kernel: WinogradKernel
  let y: UnsafeMutablePointer<Float>
  let outputs: TileWindows
  let tileCount: Int
  let addends: WinogradTiles.Addends

  func run<Points: WinogradPoints>(_: Points.Type, workers: WorkerPool) {
    let points = Points.Input.outputs * Points.Input.outputs
    let strips = Strip.covering(kernel.columns)
    let blockSize = Winograd.tilesPerBlock(tileCount: tileCount, channels: kernel.depth)
    let partSize = roundUp(
      (blockSize + Winograd.parts(strips: strips.count, workers: workers) - 1)
        / Winograd.parts(strips: strips.count, workers: workers), MicroKernel.rows)
    PointPlanes.with(points: points, tiles: blockSize, channels: kernel.depth) { v in
      for start in stride(from: 0, to: tileCount, by: blockSize) {
        let tiles = start..<min(start + blockSize, tileCount)
        workers.forEachRange(tiles.count, grain: 16) { part in
          WinogradTiles.transform(
            Points.Input.self, of: x, windows: inputs,
            tiles: start + part.lowerBound..<start + part.upperBound, channels: 0..<kernel.depth, into: v,
            firstRow: part.lowerBound)
        }
        let parts = (tiles.count + partSize - 1) / partSize
        workers.forEach(strips.count * parts) { item in
          let (strip, part) = item.quotientAndRemainder(dividingBy: parts)
          let rows = part * partSize..<min((part + 1) * partSize, tiles.count)
          compute(Points.self, strips[strip], v, rows: rows, firstTile: start)
        }
      }
    }
  }

  /// The outputs of one strip of channels for some rows of V, of which row 0 is tile `firstTile`.
  private func compute<Points: WinogradPoints>(
    _: Points.Type, _ strip: Strip, _ v: PointPlanes, rows: Range<Int>, firstTile: Int
  ) {
    let points = Points.Input.outputs * Points.Input.outputs
    let pointStride = kernel.pointStride(strip)
    withScratch(points * pointStride) { u in
      kernel.transform(Points.Kernel.self, strip: strip, into: u)
      PointPlanes.with(points: points, tiles: rows.count, channels: strip.width) { m in
        for point in 0..<points {
          for row in stride(from: 0, to: rows.count, by: MicroKernel.rows) {
            MicroKernel.multiply(
              width: strip.width, depth: kernel.depth, a: v.row(point, rows.lowerBound + row), rowStride: v.rowStride,
              depthStride: 1, b: u + point * pointStride, bStride: strip.width, c: m.row(point, row),
              cStride: m.rowStride, accumulates: false)
          }
        }
        WinogradTiles.transformOutput(
          Points.Output.self, from: m, windows: outputs,
          tiles: firstTile + rows.lowerBound..<firstTile + rows.upperBound, strip: strip, into: y, addends: addends)
      }
    }
  }
}

/// The gradient with respect to the kernel: dU_p = V_pᵀ·dM_p summed over tiles, dM the points of dy.
struct WinogradKernelGradient {
  let x: UnsafePointer<Float>
  let dy: UnsafePointer<Float>
  let dKernel: UnsafeMutablePointer<Float>
  let geometry: Winograd.Geometry

  func run<Points: WinogradGradientPoints>(_: Points.Type, workers: WorkerPool) {
    let (inChannels, outChannels) = (geometry.inChannels, geometry.outChannels)
    let points = Points.Input.outputs * Points.Input.outputs
    let strips = Strip.covering(outChannels)
    let blockSize = Winograd.tilesPerBlock(tileCount: geometry.tileCount, channels: max(inChannels, outChannels))
    // A part's rows of dU are at least 64, or the points of dy would be computed too often.
    let wanted = Winograd.parts(strips: strips.count, workers: workers)
    let partSize = max(64, roundUp((inChannels + wanted - 1) / wanted, MicroKernel.rows))
    let parts = (inChannels + partSize - 1) / partSize
    let isSingleBlock = blockSize >= geometry.tileCount
    withScratch(isSingleBlock ? 0 : 9 * inChannels * outChannels) { sums in
      PointPlanes.with(points: points, tiles: blockSize, channels: inChannels) { v in
        for start in stride(from: 0, to: geometry.tileCount, by: blockSize) {
          let tiles = start..<min(start + blockSize, geometry.tileCount)
          workers.forEachRange(tiles.count, grain: 16) { part in
            WinogradTiles.transform(
              Points.Input.self, of: x, windows: geometry.inputWindows,
              tiles: start + part.lowerBound..<start + part.upperBound, channels: 0..<inChannels, into: v,
              firstRow: part.lowerBound)
          }
          workers.forEach(strips.count * parts) { item in
            let (strip, part) = item.quotientAndRemainder(dividingBy: parts)
            compute(
              Points.self, strips[strip], v, tiles: tiles,
              rows: part * partSize..<min((part + 1) * partSize, inChannels), into: isSingleBlock ? dKernel : sums,
              accumulates: isSingleBlock || start > 0)
          }
        }
      }
      if !isSingleBlock {
        Elementwise.add(sums, into: dKernel, count: 9 * inChannels * outChannels, workers: workers)
      }
    }
  }

  /// What some tiles contribute to some rows (input channels) of one strip.
  private func compute<Points: WinogradGradientPoints>(
    _: Points.Type, _ strip: Strip, _ v: PointPlanes, tiles: Range<Int>, rows: Range<Int>,
    into target: UnsafeMutablePointer<Float>, accumulates: Bool
  ) {
    let points = Points.Input.outputs * Points.Input.outputs
    let pointStride = PointPlanes.oddLines(roundUp(rows.count, MicroKernel.rows) * strip.width)
    PointPlanes.with(points: points, tiles: tiles.count, channels: strip.width) { dM in
      WinogradTiles.transform(
        Points.OutputAdjoint.self, of: dy, windows: geometry.outputWindows, tiles: tiles,
        channels: strip.start..<strip.start + strip.count, into: dM, firstRow: 0)
      withScratch(points * pointStride) { dU in
        for point in 0..<points {
          for row in stride(from: 0, to: rows.count, by: MicroKernel.rows) {
            MicroKernel.multiply(
              width: strip.width, depth: tiles.count, a: v.row(point, 0) + rows.lowerBound + row, rowStride: 1,
              depthStride: v.rowStride, b: dM.row(point, 0), bStride: dM.rowStride,
              c: dU + point * pointStride + row * strip.width, cStride: strip.width, accumulates: false)
          }
        }
        WinogradKernel.putTapGradients(
          Points.KernelAdjoint.self, dU, pointStride: pointStride, rows: rows, strip: strip,
          inChannels: geometry.inChannels, outChannels: geometry.outChannels, into: target, accumulates: accumulates)
      }
    }
  }
}
