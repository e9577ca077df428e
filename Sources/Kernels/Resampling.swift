import Tensors

/// Changes of resolution of images [N, H, W, C].
public enum Resampling {
  /// y[n, i, j, c] = x[n, i / 2, j / 2, c]: every pixel four times. x is [images, height, width, channels], y
  /// [images, 2·height, 2·width, channels]; overwrites.
  public static func upsampleNearest(
    x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, images: Int, height: Int, width: Int, channels: Int,
    workers: WorkerPool
  ) {
    let coarse = width * channels
    workers.forEach(images * height) { row in
      let (source, target) = (x + row * coarse, y + row * 4 * coarse)
      for j in 0..<width {
        let (from, to) = (source + j * channels, target + 2 * j * channels)
        @inline(__always)
        func spread(_ c: Int, _ lanes: Int) {
          let value = load(from + c, lanes)
          store(value, to + c, lanes)
          store(value, to + channels + c, lanes)
          store(value, to + 2 * coarse + c, lanes)
          store(value, to + 2 * coarse + channels + c, lanes)
        }
        forEachVector(channels, spread)
      }
    }
  }

  /// dx[n, i, j, c] = the sum of dy over the four pixels that `upsampleNearest` made of (i, j). dx is
  /// [images, height, width, channels], dy [images, 2·height, 2·width, channels]; overwrites.
  public static func upsampleNearestBackward(
    dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, images: Int, height: Int, width: Int, channels: Int,
    workers: WorkerPool
  ) {
    let coarse = width * channels
    workers.forEach(images * height) { row in
      let (source, target) = (dy + row * 4 * coarse, dx + row * coarse)
      for j in 0..<width {
        let (from, to) = (source + 2 * j * channels, target + j * channels)
        @inline(__always)
        func gather(_ c: Int, _ lanes: Int) {
          let above = load(from + c, lanes) + load(from + channels + c, lanes)
          let below = load(from + 2 * coarse + c, lanes) + load(from + 2 * coarse + channels + c, lanes)
          store(above + below, to + c, lanes)
        }
        forEachVector(channels, gather)
      }
    }
  }
}
