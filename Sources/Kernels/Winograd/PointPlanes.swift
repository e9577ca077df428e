import MicroKernels

/// Scratch memory for the matrices [tile][channel] of all points.
///
/// Rows and planes are an odd number of cache lines apart: addresses a power of two apart would compete for the same
/// cache sets.
@usableFromInline package struct PointPlanes {
  @usableFromInline let base: UnsafeMutablePointer<Float>
  @usableFromInline package let rowStride: Int
  @usableFromInline package let planeStride: Int

  @usableFromInline static func rowStride(channels: Int) -> Int { oddLines(channels) }

  @usableFromInline static func planeStride(tiles: Int, channels: Int) -> Int {
    oddLines(roundUp(tiles, MicroKernel.rows) * rowStride(channels: channels))
  }

  /// Planes for `body`; rows are padded to whole micro-kernel blocks. See `withScratch` for `minimum`.
  package static func with(points: Int, tiles: Int, channels: Int, atLeast minimum: Int, _ body: (PointPlanes) -> Void)
  {
    let planeStride = planeStride(tiles: tiles, channels: channels)
    withScratch(points * planeStride, atLeast: minimum) {
      body(PointPlanes(base: $0, rowStride: rowStride(channels: channels), planeStride: planeStride))
    }
  }

  /// The smallest odd number of cache lines that hold `count` floats, in floats.
  static func oddLines(_ count: Int) -> Int {
    let lines = (count + 15) / 16
    return (lines % 2 == 0 ? lines + 1 : lines) * 16
  }

  @inlinable @inline(__always)
  package func row(_ point: Int, _ row: Int) -> UnsafeMutablePointer<Float> {
    base + point * planeStride + row * rowStride
  }
}
