import MicroKernels
import Tensors

/// Stride-1 3x3 convolution as a product of the matrix of patches and the kernel: the plain method, with four times the
/// multiplications of `Winograd` and without the rounding of its transforms.
///
/// It computes the same results as `Winograd` from the same operands. Patches are built for a few
/// rows of an image at a time, so memory does not grow with the images.
package enum DirectConvolution: ConvolutionAlgorithm {
  package static func convolve(
    x: UnsafePointer<Float>, kernel: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, geometry: Winograd.Geometry,
    bias: UnsafePointer<Float>? = nil, perImage: UnsafePointer<Float>? = nil, residual: UnsafePointer<Float>? = nil,
    workers: WorkerPool
  ) {
    let blocks = PatchBlocks(geometry, channels: geometry.inChannels, isEnlarged: geometry.enlargesInput)
    let outChannels = geometry.outChannels
    workers.forEach(blocks.count) { number in
      let block = blocks[number]
      let first = block.firstPixel * outChannels
      withScratch(outChannels) { offset in
        for c in 0..<outChannels {
          offset[c] = (bias?[c] ?? 0) + (perImage?[block.image * outChannels + c] ?? 0)
        }
        blocks.withPatches(of: x, block, workers: .callingThread) { patches in
          MatrixProduct.multiply(
            patches, MatrixPointer(kernel, rowStride: outChannels), into: y + first, rows: block.pixelCount,
            columns: outChannels, depth: blocks.patchLength, bias: offset, addend: residual.map { $0 + first },
            workers: .callingThread)
        }
      }
    }
  }

  package static func propagateGradient(
    dy: UnsafePointer<Float>, kernel: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
    geometry: Winograd.Geometry, addend: UnsafePointer<Float>? = nil, workers: WorkerPool
  ) {
    let blocks = PatchBlocks(geometry, channels: geometry.outChannels, isEnlarged: false)
    let inChannels = geometry.inChannels
    withScratch(9 * inChannels * geometry.outChannels) { adjoint in
      putAdjoint(of: kernel, geometry, into: adjoint)
      workers.forEach(blocks.count) { number in
        let block = blocks[number]
        func multiply(into target: UnsafeMutablePointer<Float>, addend: UnsafePointer<Float>?) {
          blocks.withPatches(of: dy, block, workers: .callingThread) { patches in
            MatrixProduct.multiply(
              patches, MatrixPointer(adjoint, rowStride: inChannels), into: target, rows: block.pixelCount,
              columns: inChannels, depth: blocks.patchLength, addend: addend, workers: .callingThread)
          }
        }
        guard geometry.enlargesInput else {
          let first = block.firstPixel * inChannels
          return multiply(into: dx + first, addend: addend.map { $0 + first })
        }
        withScratch(block.pixelCount * inChannels) { fine in
          multiply(into: fine, addend: nil)
          addByFours(
            fine, to: addend, into: dx, firstPixel: block.firstPixel / 4, rows: block.rows.count / 2,
            columns: geometry.width / 2, channels: inChannels)
        }
      }
    }
  }

  package static func accumulateKernelGradient(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dKernel: UnsafeMutablePointer<Float>,
    imageSums: UnsafeMutablePointer<Float>, geometry: Winograd.Geometry, workers: WorkerPool
  ) {
    Rows.sumOverPixels(
      dy, into: imageSums, images: geometry.images, pixels: geometry.height * geometry.width,
      channels: geometry.outChannels, workers: workers)
    let blocks = PatchBlocks(geometry, channels: geometry.inChannels, isEnlarged: geometry.enlargesInput)
    let outChannels = geometry.outChannels
    let count = blocks.patchLength * outChannels
    withScratch(count) { sums in
      sums.update(repeating: 0, count: count)
      // The blocks are processed in order, since the order of additions must not depend on threads.
      for number in 0..<blocks.count {
        let block = blocks[number]
        blocks.withPatches(of: x, block, workers: workers) { patches in
          MatrixProduct.multiply(
            patches.transposed, MatrixPointer(dy + block.firstPixel * outChannels, rowStride: outChannels), into: sums,
            rows: blocks.patchLength, columns: outChannels, depth: block.pixelCount, addend: sums, workers: workers)
        }
      }
      Elementwise.sum(dKernel, sums, into: dKernel, count: count, workers: workers)
    }
  }

  /// The kernel of the adjoint convolution, [3, 3, out, in]: rotated by 180°, with inputs and outputs exchanged.
  private static func putAdjoint(
    of kernel: UnsafePointer<Float>, _ geometry: Winograd.Geometry, into adjoint: UnsafeMutablePointer<Float>
  ) {
    let (inChannels, outChannels) = (geometry.inChannels, geometry.outChannels)
    for tap in 0..<9 {
      let source = kernel + (8 - tap) * inChannels * outChannels
      let target = adjoint + tap * inChannels * outChannels
      for i in 0..<inChannels {
        for o in 0..<outChannels { target[o * inChannels + i] = source[i * outChannels + o] }
      }
    }
  }

  /// dx = addend + the sum of the four pixels of `fine` [2·rows, 2·columns, channels] that came from each pixel.
  private static func addByFours(
    _ fine: UnsafePointer<Float>, to addend: UnsafePointer<Float>?, into dx: UnsafeMutablePointer<Float>,
    firstPixel: Int, rows: Int, columns: Int, channels: Int
  ) {
    let lineLength = 2 * columns * channels
    for row in 0..<rows {
      for column in 0..<columns {
        let first = (firstPixel + row * columns + column) * channels
        let upper = fine + 2 * row * lineLength + 2 * column * channels
        let lower = upper + lineLength
        for c in 0..<channels {
          let sum = (upper[c] + upper[channels + c]) + (lower[c] + lower[channels + c])
          dx[first + c] = (addend?[first + c] ?? 0) + sum
        }
      }
    }
  }
}

/// Images divided into blocks of rows whose patches are built together. The division depends only on the shape.
private struct PatchBlocks {
  /// Height and width of the convolution's result.
  let height: Int
  let width: Int
  /// The channels of the image that patches are taken from.
  let channels: Int
  /// Whether the image that patches are taken from has half the height and width, and each pixel counts as 2x2 equal
  /// ones.
  let isEnlarged: Bool
  let periodicity: Periodicity
  let count: Int
  private let rowsPerBlock: Int
  private let blocksPerImage: Int

  /// The maximum size of a block's patches in floats, 4 MiB, unless a single row takes more.
  private static let largestBlock = 1 << 20

  struct Block {
    let image: Int
    let rows: Range<Int>
    /// The index of the block's first pixel among the pixels of all results.
    let firstPixel: Int
    let pixelCount: Int
  }

  init(_ geometry: Winograd.Geometry, channels: Int, isEnlarged: Bool) {
    height = geometry.height
    width = geometry.width
    self.channels = channels
    self.isEnlarged = isEnlarged
    periodicity = geometry.periodicity
    // Pairs of rows, since each row of an enlarged image appears twice.
    let pairs = max(1, Self.largestBlock / (2 * width * 9 * channels))
    rowsPerBlock = min(2 * pairs, height)
    blocksPerImage = (height + rowsPerBlock - 1) / rowsPerBlock
    count = geometry.images * blocksPerImage
  }

  var patchLength: Int { 9 * channels }

  subscript(number: Int) -> Block {
    let (image, part) = number.quotientAndRemainder(dividingBy: blocksPerImage)
    let rows = part * rowsPerBlock..<min((part + 1) * rowsPerBlock, height)
    return Block(
      image: image, rows: rows, firstPixel: (image * height + rows.lowerBound) * width, pixelCount: rows.count * width)
  }

  /// Calls `body` with a block's patches [pixelCount, patchLength].
  func withPatches(
    of x: UnsafePointer<Float>, _ block: Block, workers: WorkerPool, _ body: (MatrixPointer) -> Void
  ) {
    let covered = block.rows.lowerBound - 1..<block.rows.upperBound + 1
    // Without a border of zeros.
    let seen = periodicity.includesHeight ? covered : covered.clamped(to: 0..<height)
    let geometry = PatchGeometry(
      images: 1, height: seen.count, width: width, channels: channels, kernelHeight: 3, kernelWidth: 3,
      padTop: seen.lowerBound - covered.lowerBound, padLeft: 1, padBottom: covered.upperBound - seen.upperBound,
      padRight: 1, periodicity: periodicity.includesWidth ? .width : .none)
    withScratch(block.pixelCount * patchLength) { patches in
      if isEnlarged || seen.lowerBound < 0 || seen.upperBound > height {
        withScratch(seen.count * width * channels) { rows in
          copy(seen, ofImage: block.image, in: x, to: rows)
          ImageToColumns.columns(of: rows, into: patches, geometry: geometry, workers: workers)
        }
      } else {
        let rows = x + (block.image * height + seen.lowerBound) * width * channels
        ImageToColumns.columns(of: rows, into: patches, geometry: geometry, workers: workers)
      }
      body(MatrixPointer(patches, rowStride: patchLength))
    }
  }

  /// Some rows of an image, enlarged if it is to be, [rows.count, width, channels]. Rows beyond the borders are those of
  /// the opposite side.
  private func copy(
    _ rows: Range<Int>, ofImage image: Int, in x: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
  ) {
    let factor = isEnlarged ? 2 : 1
    for (line, row) in rows.enumerated() {
      // Enlarged images have even heights, so rows can be numbered across all of them.
      let source = x + (image * height + row.wrapped(at: height)) / factor * (width / factor) * channels
      for column in 0..<width {
        Rows.copyRow(source + column / factor * channels, to: target + (line * width + column) * channels, channels)
      }
    }
  }
}
