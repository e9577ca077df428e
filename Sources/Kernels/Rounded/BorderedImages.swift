import MicroKernels
import Tensors

/// Images with a border of one pixel, for 3x3 convolutions as products: the pixels that a tap sees are rows of a
/// matrix.
///
/// Pixels are numbered line by line, and lines are `lineStride` positions apart, border included: the result at (y, x)
/// is number y·lineStride + x, and its tap t sees the bordered image's pixel of that number plus `offset(ofTap: t)`.
/// Each tap thus sees a run of consecutive positions for any run of results. The numbers between the end of a line and
/// the next line are no results. The border is zero or, along a periodic axis, has the pixels of the opposite side;
/// without such an axis, the border at the right of a line is also that at the left of the next.
struct BorderedImages {
  private let pixels: UnsafePointer<Float>
  let channels: Int
  private let height: Int
  private let width: Int
  /// 1 if each pixel is repeated as 2x2 pixels.
  private let shift: Int
  private let periodicity: Periodicity
  let lineStride: Int
  private let zeros: FloatBuffer

  /// - Parameters:
  ///   - pixels: [N, H, W, channels], the whole images of the geometry or, if enlarged, images of half the height and
  ///     width.
  ///   - isEnlarged: whether each pixel is repeated as 2x2 pixels.
  init(_ pixels: UnsafePointer<Float>, channels: Int, isEnlarged: Bool, geometry: Winograd.Geometry) {
    self.pixels = pixels
    self.channels = channels
    shift = isEnlarged ? 1 : 0
    height = geometry.height
    width = geometry.width
    periodicity = geometry.periodicity
    lineStride = width + (periodicity.includesWidth ? 2 : 1)
    zeros = FloatBuffer(repeating: 0, count: channels)
  }

  func offset(ofTap tap: Int) -> Int { tap / 3 * lineStride + tap % 3 }

  /// The count of results of some lines, rounded up to what a sum over them needs.
  func resultCount(lines: Int) -> Int { roundUp(lines * lineStride, RoundedKernel.depthUnit) }

  /// The count of positions that are seen by so many results; a multiple of 32.
  func positionCount(lines: Int) -> Int {
    roundUp(resultCount(lines: lines) + offset(ofTap: 8), RoundedKernel.depthUnit)
  }

  /// Calls `body` with the address of the pixel at each position that some lines of results see.
  func withPositions(ofImage image: Int, lines: Range<Int>, _ body: (UnsafePointer<RoundedOperands.Row>) -> Void) {
    withAddresses(positionCount(lines: lines.count)) { addresses in
      for line in 0..<lines.count + 2 {
        var row = lines.lowerBound + line - 1
        if !(0..<height ~= row) {
          guard periodicity.includesHeight else { continue }
          row = row.wrapped(at: height)
        }
        let target = addresses + line * lineStride + 1
        for column in 0..<width { target[column] = pixel(image, row, column) }
        if periodicity.includesWidth {
          target[-1] = target[width - 1]
          target[width] = target[0]
        }
      }
      body(addresses)
    }
  }

  /// Calls `body` with the address of the pixel at each result of some lines, and of zeros at numbers that are no
  /// results.
  func withResults(ofImage image: Int, lines: Range<Int>, _ body: (UnsafePointer<RoundedOperands.Row>) -> Void) {
    withAddresses(resultCount(lines: lines.count)) { addresses in
      for row in lines {
        let target = addresses + (row - lines.lowerBound) * lineStride
        for column in 0..<width { target[column] = pixel(image, row, column) }
      }
      body(addresses)
    }
  }

  private func withAddresses(_ count: Int, _ body: (UnsafeMutablePointer<RoundedOperands.Row>) -> Void) {
    withExtendedLifetime(zeros) {
      RoundedOperands.withRows(count) { addresses in
        addresses.update(repeating: UnsafePointer(zeros.pointer), count: count)
        body(addresses)
      }
    }
  }

  @inline(__always)
  private func pixel(_ image: Int, _ row: Int, _ column: Int) -> UnsafePointer<Float> {
    pixels + ((image * (height >> shift) + row >> shift) * (width >> shift) + column >> shift) * channels
  }
}

/// A division of a batch into blocks: whole images, or else lines of an image, in pairs.
struct ImageBlocks {
  struct Block {
    let images: Range<Int>
    let lines: Range<Int>
  }

  private let images: Int
  private let height: Int
  private let imagesPerBlock: Int
  private let linesPerBlock: Int

  /// - Parameters:
  ///   - pixelsPerBlock: about the maximum of pixels in a block; if lines are longer, a block has two of them.
  ///   - minimumCount: the number of blocks that there should be, if the images have so many pairs of lines.
  init(_ geometry: Winograd.Geometry, pixelsPerBlock: Int, minimumCount: Int = 1) {
    images = geometry.images
    height = geometry.height
    let pixels = geometry.height * geometry.width
    let count = max((images * pixels + pixelsPerBlock - 1) / max(pixelsPerBlock, 1), minimumCount)
    imagesPerBlock = max(1, images / max(count, 1))
    let parts = max(1, (count + max(images, 1) - 1) / max(images, 1))
    linesPerBlock = max(1, min(roundUp((height + parts - 1) / parts, 2), height))
  }

  var count: Int { (images + imagesPerBlock - 1) / imagesPerBlock * blocksPerImage }

  private var blocksPerImage: Int { (height + linesPerBlock - 1) / linesPerBlock }

  subscript(number: Int) -> Block {
    let (group, part) = number.quotientAndRemainder(dividingBy: blocksPerImage)
    return Block(
      images: group * imagesPerBlock..<min((group + 1) * imagesPerBlock, images),
      lines: part * linesPerBlock..<min((part + 1) * linesPerBlock, height))
  }
}
