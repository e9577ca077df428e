import MicroKernels
import Tensors

/// One convolution, or its adjoint.
struct WinogradPass {
  let x: UnsafePointer<Float>
  let inputs: TileWindows
  let kernel: WinogradWeights
  let y: UnsafeMutablePointer<Float>
  let outputs: TileWindows
  let tileCount: Int
  let addends: WinogradTiles.Addends
  private let microKernel = MicroKernel.best

  /// With fewer tiles per thread, threads share the channels instead of the tiles.
  private static let minimumTilesPerThread = 48

  /// The maximum of tiles x channels in a block, 9 MiB of V: enough tiles to pay for transforming the kernels, few enough
  /// for V to stay in the last-level cache beside that of other ranks.
  private static let maximalBlock = 1 << 16

  func run<Points: WinogradPoints>(_: Points.Type, workers: WorkerPool) {
    let threads = workers.threadCount
    let strips = Strip.covering(kernel.columns)
    let sharesTiles = threads == 1 || tileCount >= threads * Self.minimumTilesPerThread
    let blockSize = Winograd.tilesPerBlock(
      tileCount: tileCount, maximum: max(128, min(256, Self.maximalBlock / kernel.depth)),
      minimumBlocks: sharesTiles ? threads : 1)
    let blocks = (tileCount + blockSize - 1) / blockSize
    if sharesTiles {
      // Each thread completes its blocks, so that V does not move from one core's cache to another's.
      workers.forEach(blocks) { block in
        let tiles = block * blockSize..<min((block + 1) * blockSize, tileCount)
        withPoints(Points.self, tiles: tiles.count) { v in
          transformInput(Points.self, tiles: tiles, into: v, firstRow: 0)
          for strip in strips { compute(Points.self, strip, v, rows: 0..<tiles.count, firstTile: tiles.lowerBound) }
        }
      }
      return
    }
    // Each strip is divided into enough parts to keep all threads busy.
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

  /// Computes the outputs of one strip of channels for some rows of V, where row 0 is tile `firstTile`.
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
              microKernel.multiply(
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

  /// The number of rows whose products are transformed back together: these M stay in the second-level cache.
  private static let productRows = 128
}
