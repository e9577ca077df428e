import MicroKernels
import Tensors

/// The gradient with respect to the kernel: dU_p = V_pᵀ·dM_p summed over tiles, where dM are the points of dy.
struct WinogradWeightGradient {
  let x: UnsafePointer<Float>
  let dy: UnsafePointer<Float>
  let dKernel: UnsafeMutablePointer<Float>
  /// [images, outChannels].
  let imageSums: UnsafeMutablePointer<Float>
  let geometry: Winograd.Geometry
  private let microKernel = MicroKernel.best

  /// The target of the sums: dKernel and imageSums, or partial sums of the same shapes.
  private struct Target {
    let kernel: UnsafeMutablePointer<Float>
    let images: UnsafeMutablePointer<Float>
  }

  func run<Points: WinogradGradientPoints>(_: Points.Type, workers: WorkerPool) {
    let threads = workers.threadCount
    if blocks == 1 {
      return runTogether(Points.self, into: dKernel, accumulates: true, workers: workers)
    }
    let kernelCount = 9 * geometry.inChannels * geometry.outChannels
    let count = kernelCount + geometry.images * geometry.outChannels
    if threads == 1 || blocks < threads {
      withScratch(kernelCount) { total in
        runTogether(Points.self, into: total, accumulates: false, workers: workers)
        Elementwise.sum(dKernel, total, into: dKernel, count: kernelCount, workers: workers)
      }
      return
    }
    let strips = Strip.covering(geometry.outChannels)
    withScratch((1 + threads) * count) { total in
      // Each thread computes the points of one block; the sums of the blocks are then added in order.
      for first in stride(from: 0, to: blocks, by: threads) {
        let together = min(threads, blocks - first)
        workers.forEach(together) { index in
          let sums = first + index == 0 ? total : total + (1 + index) * count
          (sums + kernelCount).update(repeating: 0, count: count - kernelCount)
          accumulate(
            Points.self, block: first + index, rows: 0..<geometry.inChannels, strips: strips[...],
            into: Target(kernel: sums, images: sums + kernelCount), accumulates: false)
        }
        for index in 0..<together where first + index > 0 {
          Elementwise.sum(total, total + (1 + index) * count, into: total, count: count, workers: workers)
        }
      }
      Elementwise.sum(dKernel, total, into: dKernel, count: kernelCount, workers: workers)
      imageSums.update(from: total + kernelCount, count: count - kernelCount)
    }
  }

  /// All threads work on one block after another, and each on a part of the kernel: the order of the sums is the same.
  private func runTogether<Points: WinogradGradientPoints>(
    _: Points.Type, into kernel: UnsafeMutablePointer<Float>, accumulates: Bool, workers: WorkerPool
  ) {
    let inChannels = geometry.inChannels
    let strips = Strip.covering(geometry.outChannels)
    // Each thread gets a share of the input channels with its own V. If these would be so few that the points of dy
    // cost too much, the strips are shared too.
    let rowParts = max(1, min(workers.threadCount, inChannels / Self.minimumRows))
    let partSize = roundUp((inChannels + rowParts - 1) / rowParts, vectorWidth)
    let stripParts = min(strips.count, (workers.threadCount + rowParts - 1) / rowParts)
    workers.forEach(rowParts * stripParts) { item in
      let (row, strip) = item.quotientAndRemainder(dividingBy: stripParts)
      let rows = min(row * partSize, inChannels)..<min((row + 1) * partSize, inChannels)
      let part = strip * strips.count / stripParts..<(strip + 1) * strips.count / stripParts
      if rows.isEmpty { return }
      for block in 0..<blocks {
        accumulate(
          Points.self, block: block, rows: rows, strips: strips[part],
          into: Target(kernel: kernel, images: imageSums), accumulates: accumulates || block > 0)
      }
    }
  }

  private static let minimumRows = 64

  /// A point of dM for a strip, 24 KiB at most, stays in the first-level cache while all rows of V are multiplied by it.
  private var blockSize: Int { Winograd.tilesPerBlock(tileCount: geometry.tileCount, maximum: 128) }
  private var blocks: Int { (geometry.tileCount + blockSize - 1) / blockSize }

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

  /// The contribution of some tiles to some rows of one strip.
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
            microKernel.multiply(
              width: strip.width, depth: tiles.count, a: v.row(point, 0) + row, rowStride: 1,
              depthStride: v.rowStride, b: dM.row(point, 0), bStride: dM.rowStride,
              c: dU + point * pointStride + row * strip.width, cStride: strip.width, accumulates: false)
          }
        }
        WinogradWeights.putTapGradients(
          Points.KernelAdjoint.self, dU, pointStride: pointStride, rows: rows, strip: strip,
          inChannels: geometry.inChannels, outChannels: geometry.outChannels, into: target.kernel,
          accumulates: accumulates)
      }
    }
  }

  /// The point (1, 1) of dM is the sum of a tile's pixels, since both transforms add up their inputs there.
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
