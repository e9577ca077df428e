import MicroKernels
import Tensors

/// Stride-1 3x3 convolution with a border of one pixel, by Winograd's F(4x4, 3x3): a quarter of the multiplications of
/// the direct sum; optionally of an image that is first enlarged twofold by repeating pixels, with a sixth of them. The
/// border is zero or, along a periodic axis, has the pixels of the opposite side.
///
/// The result is divided into tiles of 4x4 pixels. The 6x6 inputs under a tile become 36 points V (25 where the input
/// is enlarged), the 3x3 kernel becomes as many points U, and the convolution becomes as many independent matrix
/// products M_p[tile, out] = V_p[tile, in]·U_p[in, out], whose results are transformed back into 4x4 outputs.
///
/// Some hundred tiles are transformed together. Then each strip of 32 or 48 output channels is completed at once: its
/// kernels are transformed and multiplied, and the products are transformed back, so that U and M never leave the
/// caches. Transforming a kernel again for every block of tiles costs some 3%, much less than writing all U to memory
/// and reading it back, and needs no memory.
///
/// V is [point][tile][in], M [point][tile][out of the strip], U [point][in][out of the strip]. Any channel count,
/// height and width work; multiples of 16 and of 4 are fast. A tile's result does not depend on other tiles.
package enum Winograd: ConvolutionAlgorithm {
  /// Shape of one convolution.
  package struct Geometry: Sendable, Equatable {
    package let images: Int
    /// Height and width of the result.
    package let height: Int
    package let width: Int
    package let inChannels: Int
    package let outChannels: Int
    /// Whether x has half the result's height and width, and each of its pixels is repeated as 2x2 pixels.
    package let enlargesInput: Bool
    package let periodicity: Periodicity

    package init(
      images: Int, height: Int, width: Int, inChannels: Int, outChannels: Int, enlargesInput: Bool = false,
      periodicity: Periodicity = .none
    ) {
      verify(!enlargesInput || (height % 2 == 0 && width % 2 == 0), "an enlarged image must have even sides")
      self.images = images
      self.height = height
      self.width = width
      self.inChannels = inChannels
      self.outChannels = outChannels
      self.enlargesInput = enlargesInput
      self.periodicity = periodicity
    }

    var tileRows: Int { (height + 3) / 4 }
    var tileColumns: Int { (width + 3) / 4 }
    var tileCount: Int { images * tileRows * tileColumns }

    /// Windows of `size` pixels on the images in full resolution, or on images of half the height and width. Without a
    /// rim they are those of results, which have no pixels beyond a border.
    func windows(channels: Int, size: Int, rim: Int, isHalved: Bool) -> TileWindows {
      let divisor = isHalved ? 2 : 1
      return TileWindows(
        height: height / divisor, width: width / divisor, channels: channels, tileRows: tileRows,
        tileColumns: tileColumns, step: 4 / divisor, size: size, rim: rim,
        periodicity: rim > 0 ? periodicity : .none)
    }

    var inputWindows: TileWindows {
      windows(channels: inChannels, size: enlargesInput ? 4 : 6, rim: 1, isHalved: enlargesInput)
    }
    var outputWindows: TileWindows { windows(channels: outChannels, size: 4, rim: 0, isHalved: false) }
  }

  package static func convolve(
    x: UnsafePointer<Float>, kernel: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, geometry: Geometry,
    bias: UnsafePointer<Float>? = nil, perImage: UnsafePointer<Float>? = nil, residual: UnsafePointer<Float>? = nil,
    workers: WorkerPool
  ) {
    let pass = WinogradPass(
      x: x, inputs: geometry.inputWindows,
      kernel: WinogradWeights(
        taps: kernel, inChannels: geometry.inChannels, outChannels: geometry.outChannels, isAdjoint: false),
      y: y, outputs: geometry.outputWindows, tileCount: geometry.tileCount,
      addends: WinogradTiles.Addends(bias: bias, perImage: perImage, residual: residual))
    if geometry.enlargesInput {
      pass.run(EnlargedPoints.self, workers: workers)
    } else {
      pass.run(SixPoints.self, workers: workers)
    }
  }

  package static func propagateGradient(
    dy: UnsafePointer<Float>, kernel: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, geometry: Geometry,
    addend: UnsafePointer<Float>? = nil, workers: WorkerPool
  ) {
    let halves = geometry.enlargesInput
    let pass = WinogradPass(
      x: dy, inputs: geometry.windows(channels: geometry.outChannels, size: 6, rim: 1, isHalved: false),
      kernel: WinogradWeights(
        taps: kernel, inChannels: geometry.inChannels, outChannels: geometry.outChannels, isAdjoint: true),
      y: dx, outputs: geometry.windows(channels: geometry.inChannels, size: halves ? 2 : 4, rim: 0, isHalved: halves),
      tileCount: geometry.tileCount, addends: WinogradTiles.Addends(residual: addend))
    if halves {
      pass.run(PooledPoints.self, workers: workers)
    } else {
      pass.run(SixPoints.self, workers: workers)
    }
  }

  /// Tiles are summed in order, in blocks that depend on the shape alone, so the result does not depend on the number of
  /// threads. The sums of dy over each image's pixels are among the points that are computed anyway.
  package static func accumulateKernelGradient(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dKernel: UnsafeMutablePointer<Float>,
    imageSums: UnsafeMutablePointer<Float>, geometry: Geometry, workers: WorkerPool
  ) {
    imageSums.update(repeating: 0, count: geometry.images * geometry.outChannels)
    let pass = WinogradWeightGradient(x: x, dy: dy, dKernel: dKernel, imageSums: imageSums, geometry: geometry)
    if geometry.enlargesInput {
      pass.run(EnlargedPoints.self, workers: workers)
    } else {
      pass.run(SixPoints.self, workers: workers)
    }
  }

  /// The number of tiles that are transformed together: at most `maximum`, in equal parts of `tileCount`.
  static func tilesPerBlock(tileCount: Int, maximum: Int, minimumBlocks: Int = 1) -> Int {
    let blocks = max((tileCount + maximum - 1) / maximum, minimumBlocks)
    return roundUp((tileCount + blocks - 1) / blocks, MicroKernel.rows)
  }

  /// The minimum scratch memory in floats for V, for M or dM of a strip, and for U or dU of a strip: enough for the
  /// layers of common networks.
  static let minimumPoints = 2_621_440
  static let minimumStrip = 1 << 18
  static let minimumKernel = 1 << 20
}
