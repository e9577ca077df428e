import MicroKernels
import Tensors

/// Stride-1 3x3 convolution as the plain sum over nine taps, of operands that are rounded to bfloat16, with sums in
/// single precision. It serves processors whose products of such numbers are much faster than those of floats.
///
/// Inputs are copied once, rounded and with a border (`BorderedImages`), some lines or images at a time. There each tap
/// is another address, so no matrix of patches is made. Channels are padded with zeros to a multiple of 32. Biases and
/// other addends are not rounded. It computes the same results as `Winograd` and `DirectConvolution`, except for the
/// rounding of the operands: 2.4·10⁻³ of a result's magnitude for independent numbers.
package struct RoundedConvolution {
  private let products: RoundedKernel

  package init(products: RoundedKernel = .best) { self.products = products }

  /// The maximum of numbers in a block of bordered images, 512 KiB: they are read again for each strip of output
  /// channels, together with the strip's weights, and should stay in the second-level cache.
  private static let largestBlock = 1 << 18
  /// The number of results that are summed together for the gradient of the kernel: two operands of 256 KiB for 32
  /// channels each, which are read for nine taps.
  private static let resultsPerSum = 4096

  package func convolve(
    x: UnsafePointer<Float>, kernel: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, geometry: Winograd.Geometry,
    bias: UnsafePointer<Float>? = nil, perImage: UnsafePointer<Float>? = nil, residual: UnsafePointer<Float>? = nil,
    workers: WorkerPool
  ) {
    let (inChannels, outChannels) = (geometry.inChannels, geometry.outChannels)
    let inputs = BorderedImages(x, channels: inChannels, isEnlarged: geometry.enlargesInput, geometry: geometry)
    let output = RoundedOutput(
      pixels: y, channels: outChannels, geometry: geometry, isHalved: false, lineStride: inputs.lineStride, bias: bias,
      perImage: perImage, residual: residual)
    run(inputs, output, geometry, workers: workers) { tap in
      MatrixPointer(kernel + tap * inChannels * outChannels, rowStride: outChannels)
    }
  }

  package func propagateGradient(
    dy: UnsafePointer<Float>, kernel: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
    geometry: Winograd.Geometry, addend: UnsafePointer<Float>? = nil, workers: WorkerPool
  ) {
    let (inChannels, outChannels) = (geometry.inChannels, geometry.outChannels)
    let inputs = BorderedImages(dy, channels: outChannels, isEnlarged: false, geometry: geometry)
    let output = RoundedOutput(
      pixels: dx, channels: inChannels, geometry: geometry, isHalved: geometry.enlargesInput,
      lineStride: inputs.lineStride, residual: addend)
    // The adjoint's kernel is rotated by 180°, with inputs and outputs exchanged.
    run(inputs, output, geometry, workers: workers) { tap in
      MatrixPointer(kernel + (8 - tap) * inChannels * outChannels, rowStride: outChannels).transposed
    }
  }

  /// - Parameter kernel: the matrix [inputs.channels, output.channels] of each tap.
  private func run(
    _ inputs: BorderedImages, _ output: RoundedOutput, _ geometry: Winograd.Geometry, workers: WorkerPool,
    kernel: (_ tap: Int) -> MatrixPointer
  ) {
    let strips = RoundedStrip.covering(output.channels)
    let depth = roundUp(inputs.channels, RoundedKernel.depthUnit)
    let weights = Buffer<UInt16>(count: 9 * depth * strips.width)
    let zeros = FloatBuffer(repeating: 0, count: max(inputs.channels, output.channels))
    withExtendedLifetime((weights, zeros)) {
      // [strip][tap][depth / 2][strip.width][2].
      workers.forEach(9 * strips.count) { item in
        let (strip, tap) = (strips[item / 9], item % 9)
        RoundedOperands.putStrip(
          strip, of: kernel(tap), rows: 0..<inputs.channels, paddedDepth: depth, zeros: zeros.pointer,
          into: weights.pointer + (9 * strip.start + tap * strip.width) * depth)
      }
      // Results depend on their own pixels alone, so their division may depend on the number of threads.
      let blocks = ImageBlocks(
        geometry, pixelsPerBlock: Self.largestBlock / depth, minimumCount: 2 * workers.threadCount)
      workers.forEach(blocks.count) { number in
        compute(blocks[number], inputs, output, strips, weights: weights.pointer, depth: depth)
      }
    }
  }

  private func compute(
    _ block: ImageBlocks.Block, _ inputs: BorderedImages, _ output: RoundedOutput, _ strips: [RoundedStrip],
    weights: UnsafePointer<UInt16>, depth: Int
  ) {
    let positions = inputs.positionCount(lines: block.lines.count)
    let stride = RoundedOperands.oddLines(depth)
    let rows = roundUp(block.lines.count * inputs.lineStride, RoundedKernel.rowUnit)
    let copies = Buffer<UInt16>(count: block.images.count * positions * stride)
    withExtendedLifetime(copies) {
      for image in block.images {
        let copy = copies.pointer + (image - block.images.lowerBound) * positions * stride
        inputs.withPositions(ofImage: image, lines: block.lines) { pixels in
          for position in 0..<positions {
            RoundedOperands.putRow(
              pixels[position], count: inputs.channels, into: copy + position * stride, paddedCount: depth)
          }
        }
      }
      withScratch(rows * 32) { sums in
        for strip in strips {
          for image in block.images {
            let copy = UnsafePointer(copies.pointer) + (image - block.images.lowerBound) * positions * stride
            products.multiply(
              rows: rows, width: strip.width, a: (0..<9).map { copy + inputs.offset(ofTap: $0) * stride },
              aStride: stride, runLength: depth, b: weights + 9 * strip.start * depth, c: sums, cStride: strip.width)
            output.put(sums, strip, image: image, lines: block.lines)
          }
        }
      }
    }
  }

  /// Positions are summed in order, in blocks that depend on the shape alone, so the result does not depend on the
  /// number of threads. The sums of dy over each image's pixels are of numbers that are not rounded.
  package func accumulateKernelGradient(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dKernel: UnsafeMutablePointer<Float>,
    imageSums: UnsafeMutablePointer<Float>, geometry: Winograd.Geometry, workers: WorkerPool
  ) {
    let (inChannels, outChannels) = (geometry.inChannels, geometry.outChannels)
    Rows.sumOverPixels(
      dy, into: imageSums, images: geometry.images, pixels: geometry.height * geometry.width, channels: outChannels,
      workers: workers)
    let inputs = BorderedImages(x, channels: inChannels, isEnlarged: geometry.enlargesInput, geometry: geometry)
    let gradients = BorderedImages(dy, channels: outChannels, isEnlarged: false, geometry: geometry)
    let (rowStrips, strips) = (RoundedStrip.covering(inChannels), RoundedStrip.covering(outChannels))
    let blocks = ImageBlocks(geometry, pixelsPerBlock: Self.resultsPerSum)
    // [tap][in][out], with missing channels.
    let planeSize = rowStrips.width * strips.width
    withScratch(9 * planeSize) { sums in
      for number in 0..<blocks.count {
        addBlock(
          blocks[number], inputs, gradients, rowStrips, strips, to: sums, isFirst: number == 0, workers: workers)
      }
      if blocks.count == 0 { return }
      workers.forEach(9 * inChannels) { row in
        let (tap, channel) = row.quotientAndRemainder(dividingBy: inChannels)
        Rows.addRow(
          sums + tap * planeSize + channel * strips.width, to: dKernel + row * outChannels, outChannels)
      }
    }
  }

  /// Adds the products of a block's inputs and gradients to `sums`, or writes them if it is the first block.
  private func addBlock(
    _ block: ImageBlocks.Block, _ inputs: BorderedImages, _ gradients: BorderedImages, _ rowStrips: [RoundedStrip],
    _ strips: [RoundedStrip], to sums: UnsafeMutablePointer<Float>, isFirst: Bool, workers: WorkerPool
  ) {
    let images = block.images.count
    let positions = inputs.positionCount(lines: block.lines.count)
    let results = inputs.resultCount(lines: block.lines.count)
    // Inputs are [in][image][position], gradients [strip][image][result / 2][strip.width][2].
    let stride = RoundedOperands.oddLines(images * positions)
    let transposed = Buffer<UInt16>(count: rowStrips.width * stride)
    let pairs = Buffer<UInt16>(count: images * results * strips.width)
    withExtendedLifetime((transposed, pairs)) {
      workers.forEach(images * (rowStrips.count + strips.count)) { item in
        let (index, image) = item.quotientAndRemainder(dividingBy: images)
        if index < rowStrips.count {
          let rows = rowStrips[index]
          inputs.withPositions(ofImage: block.images.lowerBound + image, lines: block.lines) { pixels in
            RoundedOperands.putTransposed(
              pixels, rowCount: positions, from: rows.start, count: rows.count, width: rows.width,
              into: transposed.pointer + rows.start * stride + image * positions, stride: stride)
          }
        } else {
          let strip = strips[index - rowStrips.count]
          gradients.withResults(ofImage: block.images.lowerBound + image, lines: block.lines) { pixels in
            RoundedOperands.putPairs(
              of: pixels, pairCount: results / 2, from: strip.start, count: strip.count, width: strip.width,
              into: pairs.pointer + (strip.start * images + image * strip.width) * results)
          }
        }
      }
      workers.forEach(rowStrips.count * strips.count) { item in
        let (rows, strip) = (rowStrips[item / strips.count], strips[item % strips.count])
        let first = UnsafePointer(transposed.pointer) + rows.start * stride
        for tap in 0..<9 {
          products.multiply(
            rows: rows.width, width: strip.width,
            a: (0..<images).map { first + $0 * positions + inputs.offset(ofTap: tap) }, aStride: stride,
            runLength: results, b: pairs.pointer + strip.start * images * results,
            c: sums + (tap * rowStrips.width + rows.start) * strips.width + strip.start, cStride: strips.width,
            accumulates: !isFirst)
        }
      }
    }
  }
}

extension RoundedConvolution: ConvolutionAlgorithm {
  static func convolve(
    x: UnsafePointer<Float>, kernel: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, geometry: Winograd.Geometry,
    bias: UnsafePointer<Float>?, perImage: UnsafePointer<Float>?, residual: UnsafePointer<Float>?, workers: WorkerPool
  ) {
    RoundedConvolution().convolve(
      x: x, kernel: kernel, y: y, geometry: geometry, bias: bias, perImage: perImage, residual: residual,
      workers: workers)
  }

  static func propagateGradient(
    dy: UnsafePointer<Float>, kernel: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
    geometry: Winograd.Geometry, addend: UnsafePointer<Float>?, workers: WorkerPool
  ) {
    RoundedConvolution().propagateGradient(
      dy: dy, kernel: kernel, dx: dx, geometry: geometry, addend: addend, workers: workers)
  }

  static func accumulateKernelGradient(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dKernel: UnsafeMutablePointer<Float>,
    imageSums: UnsafeMutablePointer<Float>, geometry: Winograd.Geometry, workers: WorkerPool
  ) {
    RoundedConvolution().accumulateKernelGradient(
      x: x, dy: dy, dKernel: dKernel, imageSums: imageSums, geometry: geometry, workers: workers)
  }
}
