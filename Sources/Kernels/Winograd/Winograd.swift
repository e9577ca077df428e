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
  ///
  /// - Parameter imageSums: receives the sums of dy over each image's pixels, [images, outChannels], of which the
  ///   gradients of `bias` and `perImage` are made. They are among the points that are needed anyway.
  public static func accumulateKernelGradient(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dKernel: UnsafeMutablePointer<Float>,
    imageSums: UnsafeMutablePointer<Float>, geometry: Geometry, workers: WorkerPool
  ) {
    imageSums.update(repeating: 0, count: geometry.images * geometry.outChannels)
    let pass = WinogradKernelGradient(x: x, dy: dy, dKernel: dKernel, imageSums: imageSums, geometry: geometry)
    if geometry.enlargesInput {
      pass.run(EnlargedPoints.self, workers: workers)
    } else {
      pass.run(SixPoints.self, workers: workers)
    }
  }

  /// Tiles that are transformed together: enough to pay for transforming the kernels, few enough for V to stay in the
  /// last-level cache beside that of other ranks. Equal parts of `tileCount`.
  static func tilesPerBlock(tileCount: Int, channels: Int, minimumBlocks: Int = 1) -> Int {
    let maximum = max(128, min(256, maximalBlock / channels))
    let blocks = max((tileCount + maximum - 1) / maximum, minimumBlocks)
    return roundUp((tileCount + blocks - 1) / blocks, MicroKernel.rows)
  }

  /// Tiles x channels of a block: 9 MiB of V.
  private static let maximalBlock = 1 << 16

  /// Scratch to take in any case for V, for M or dM of a strip, and for U or dU of a strip, in floats: what the layers of
  /// usual networks need.
  static let minimumPoints = 2_621_440
  static let minimumStrip = 1 << 18
  static let minimumKernel = 1 << 20
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

  /// With fewer tiles a thread is better off with a share of the channels than of the tiles.
  private static let minimumTilesPerThread = 48

  func run<Points: WinogradPoints>(_: Points.Type, workers: WorkerPool) {
    let threads = workers.threadCount
    let strips = Strip.covering(kernel.columns)
    let sharesTiles = threads == 1 || tileCount >= threads * Self.minimumTilesPerThread
    let blockSize = Winograd.tilesPerBlock(
      tileCount: tileCount, channels: kernel.depth, minimumBlocks: sharesTiles ? threads : 1)
    let blocks = (tileCount + blockSize - 1) / blockSize
    if sharesTiles {
      // Each thread takes its blocks from beginning to end: V does not move from one core's cache to another's.
      workers.forEach(blocks) { block in
        let tiles = block * blockSize..<min((block + 1) * blockSize, tileCount)
        withPoints(Points.self, tiles: tiles.count) { v in
          transformInput(Points.self, tiles: tiles, into: v, firstRow: 0)
          for strip in strips { compute(Points.self, strip, v, rows: 0..<tiles.count, firstTile: tiles.lowerBound) }
        }
      }
      return
    }
    // Each strip is cut into as many parts as give all threads work.
    let parts = strips.count % threads == 0 ? 1 : (4 * threads + strips.count - 1) / strips.count
    let partSize = roundUp((blockSize + parts - 1) / parts, MicroKernel.rows)
    withPoints(Points.self, tiles: blockSize) { v in
      for start in stride(from: 0, to: tileCount, by: blockSize) {
        let count = min(blockSize, tileCount - start)
        workers.forEachRange(count, grain: 8) { part in
          transformInput(
            Points.self, tiles: start + part.lowerBound..<start + part.upperBound, into: v, firstRow: part.lowerBound)
        }
        let parts = (count + partSize - 1) / partSize
        workers.forEach(strips.count * parts) { item in
          let (strip, part) = item.quotientAndRemainder(dividingBy: parts)
          compute(
            Points.self, strips[strip], v, rows: part * partSize..<min((part + 1) * partSize, count), firstTile: start)
        }
      }
    }
  }

  private func withPoints<Points: WinogradPoints>(_: Points.Type, tiles: Int, _ body: (PointPlanes) -> Void) {
    PointPlanes.with(
      points: Points.count, tiles: tiles, channels: kernel.depth,
      atLeast: Winograd.minimumPoints, body)
  }

  private func transformInput<Points: WinogradPoints>(
    _: Points.Type, tiles: Range<Int>, into v: PointPlanes, firstRow: Int
  ) {
    WinogradTiles.transform(
      Points.Input.self, of: x, windows: inputs, tiles: tiles, channels: 0..<kernel.depth, into: v, firstRow: firstRow)
  }

  /// The outputs of one strip of channels for some rows of V, of which row 0 is tile `firstTile`.
  private func compute<Points: WinogradPoints>(
    _: Points.Type, _ strip: Strip, _ v: PointPlanes, rows: Range<Int>, firstTile: Int
  ) {
    let pointStride = kernel.pointStride(strip)
    withScratch(Points.count * pointStride, atLeast: Winograd.minimumKernel) { u in
      kernel.transform(Points.Kernel.self, strip: strip, into: u)
      let chunk = min(rows.count, Self.productRows)
      PointPlanes.with(points: Points.count, tiles: chunk, channels: strip.width, atLeast: Winograd.minimumStrip) { m in
        for start in stride(from: rows.lowerBound, to: rows.upperBound, by: chunk) {
          let rows = start..<min(start + chunk, rows.upperBound)
          for point in 0..<Points.count {
            for row in stride(from: 0, to: rows.count, by: MicroKernel.rows) {
              MicroKernel.multiply(
                width: strip.width, depth: kernel.depth, a: v.row(point, rows.lowerBound + row),
                rowStride: v.rowStride, depthStride: 1, b: u + point * pointStride, bStride: strip.width,
                c: m.row(point, row), cStride: m.rowStride, accumulates: false)
            }
          }
          WinogradTiles.transformOutput(
            Points.Output.self, from: m, windows: outputs,
            tiles: firstTile + rows.lowerBound..<firstTile + rows.upperBound, strip: strip, into: y, addends: addends)
        }
      }
    }
  }

  /// Rows whose products are transformed back before the next are made: these M stay in the second-level cache.
  private static let productRows = 128
}

/// The gradient with respect to the kernel: dU_p = V_pᵀ·dM_p summed over tiles, dM the points of dy.
struct WinogradKernelGradient {
  let x: UnsafePointer<Float>
  let dy: UnsafePointer<Float>
  let dKernel: UnsafeMutablePointer<Float>
  /// [images, outChannels].
  let imageSums: UnsafeMutablePointer<Float>
  let geometry: Winograd.Geometry

  /// What sums go to: dKernel and imageSums, or partial sums of the same shapes.
  private struct Target {
    let kernel: UnsafeMutablePointer<Float>
    let images: UnsafeMutablePointer<Float>
  }

  func run<Points: WinogradGradientPoints>(_: Points.Type, workers: WorkerPool) {
    let blocks = (geometry.tileCount + blockSize - 1) / blockSize
    if blocks == 1 { return runTogether(Points.self, workers: workers) }
    let kernelCount = 9 * geometry.inChannels * geometry.outChannels
    let count = kernelCount + geometry.images * geometry.outChannels
    let threads = min(workers.threadCount, blocks)
    let strips = Strip.covering(geometry.outChannels)
    func accumulate(block: Int, into sums: UnsafeMutablePointer<Float>, accumulates: Bool) {
      if !accumulates { (sums + kernelCount).update(repeating: 0, count: count - kernelCount) }
      self.accumulate(
        Points.self, block: block, rows: 0..<geometry.inChannels, strips: strips[...],
        into: Target(kernel: sums, images: sums + kernelCount), accumulates: accumulates)
    }
    withScratch((threads == 1 ? 1 : 1 + threads) * count) { total in
      if threads == 1 {
        for block in 0..<blocks { accumulate(block: block, into: total, accumulates: block > 0) }
      } else {
        // A block for each thread, whose points are its own; the sums of blocks are then added in order.
        for first in stride(from: 0, to: blocks, by: threads) {
          let together = min(threads, blocks - first)
          workers.forEach(together) { index in
            accumulate(
              block: first + index, into: first + index == 0 ? total : total + (1 + index) * count, accumulates: false)
          }
          for index in 0..<together where first + index > 0 {
            Elementwise.add(total + (1 + index) * count, into: total, count: count, workers: workers)
          }
        }
      }
      Elementwise.add(total, into: dKernel, count: kernelCount, workers: workers)
      imageSums.update(from: total + kernelCount, count: count - kernelCount)
    }
  }

  /// All threads on the only block.
  private func runTogether<Points: WinogradGradientPoints>(_: Points.Type, workers: WorkerPool) {
    let inChannels = geometry.inChannels
    let strips = Strip.covering(geometry.outChannels)
    // A share of the input channels for each thread, whose V is its own; and where these would become so few that the
    // points of dy cost too much, a share of the strips too.
    let rowParts = max(1, min(workers.threadCount, inChannels / Self.minimumRows))
    let partSize = roundUp((inChannels + rowParts - 1) / rowParts, vectorWidth)
    let stripParts = min(strips.count, (workers.threadCount + rowParts - 1) / rowParts)
    workers.forEach(rowParts * stripParts) { item in
      let (row, strip) = item.quotientAndRemainder(dividingBy: stripParts)
      let rows = min(row * partSize, inChannels)..<min((row + 1) * partSize, inChannels)
      let part = strip * strips.count / stripParts..<(strip + 1) * strips.count / stripParts
      if rows.isEmpty { return }
      accumulate(
        Points.self, block: 0, rows: rows, strips: strips[part],
        into: Target(kernel: dKernel, images: imageSums), accumulates: true)
    }
  }

  private static let minimumRows = 64

  private var blockSize: Int {
    Winograd.tilesPerBlock(tileCount: geometry.tileCount, channels: max(geometry.inChannels, geometry.outChannels))
  }

  /// The gradients of some rows (input channels) and strips (output channels), over a block's tiles: added to `target`
  /// or written to it.
  private func accumulate<Points: WinogradGradientPoints>(
    _: Points.Type, block: Int, rows: Range<Int>, strips: ArraySlice<Strip>, into target: Target, accumulates: Bool
  ) {
    let tiles = block * blockSize..<min((block + 1) * blockSize, geometry.tileCount)
    PointPlanes.with(
      points: Points.count, tiles: tiles.count, channels: rows.count, atLeast: Winograd.minimumPoints
    ) { v in
      WinogradTiles.transform(
        Points.Input.self, of: x, windows: geometry.inputWindows, tiles: tiles, channels: rows, into: v, firstRow: 0)
      for strip in strips {
        compute(Points.self, strip, v, tiles: tiles, rows: rows, into: target, accumulates: accumulates)
      }
    }
  }

  /// What some tiles contribute to some rows of one strip.
  private func compute<Points: WinogradGradientPoints>(
    _: Points.Type, _ strip: Strip, _ v: PointPlanes, tiles: Range<Int>, rows: Range<Int>, into target: Target,
    accumulates: Bool
  ) {
    let pointStride = PointPlanes.oddLines(roundUp(rows.count, MicroKernel.rows) * strip.width)
    PointPlanes.with(points: Points.count, tiles: tiles.count, channels: strip.width, atLeast: Winograd.minimumStrip) {
      dM in
      WinogradTiles.transform(
        Points.OutputAdjoint.self, of: dy, windows: geometry.outputWindows, tiles: tiles,
        channels: strip.start..<strip.start + strip.count, into: dM, firstRow: 0)
      if rows.lowerBound == 0 {
        addImageSums(Points.self, dM, tiles: tiles, strip: strip, to: target.images)
      }
      withScratch(Points.count * pointStride, atLeast: Winograd.minimumKernel) { dU in
        for point in 0..<Points.count {
          for row in stride(from: 0, to: rows.count, by: MicroKernel.rows) {
            MicroKernel.multiply(
              width: strip.width, depth: tiles.count, a: v.row(point, 0) + row, rowStride: 1,
              depthStride: v.rowStride, b: dM.row(point, 0), bStride: dM.rowStride,
              c: dU + point * pointStride + row * strip.width, cStride: strip.width, accumulates: false)
          }
        }
        WinogradKernel.putTapGradients(
          Points.KernelAdjoint.self, dU, pointStride: pointStride, rows: rows, strip: strip,
          inChannels: geometry.inChannels, outChannels: geometry.outChannels, into: target.kernel,
          accumulates: accumulates)
      }
    }
  }

  /// The point (1, 1) of dM is the sum of a tile's pixels: both transforms then add up their inputs.
  private func addImageSums<Points: WinogradGradientPoints>(
    _: Points.Type, _ dM: PointPlanes, tiles: Range<Int>, strip: Strip, to target: UnsafeMutablePointer<Float>
  ) {
    let point = Points.OutputAdjoint.outputs + 1
    let tilesPerImage = geometry.tileRows * geometry.tileColumns
    var start = tiles.lowerBound
    while start < tiles.upperBound {
      let image = start / tilesPerImage
      let end = min((image + 1) * tilesPerImage, tiles.upperBound)
      let sums = target + image * geometry.outChannels + strip.start
      @inline(__always)
      func addColumns(_ column: Int, _ lanes: Int) {
        var sum = Vector.zero
        for tile in start..<end { sum += load16(dM.row(point, tile - tiles.lowerBound) + column) }
        store(load(sums + column, lanes) + sum, sums + column, lanes)
      }
      forEachVector(strip.count, addColumns)
      start = end
    }
  }
}
