import Kernels
import MicroKernels
import Tensors

/// A convolution whose weights do not change, for inference: y = activation(x ∗ kernel + bias), for kernels of any
/// shape, stride and padding, written to a range of y's channels.
///
/// The kernel is stored in the order in which `MicroKernel` reads it. Some rows of patches are processed for all strips
/// of output channels, so that they stay in a cache; patches are read in place. A 1x1 kernel gives a linear map of
/// pixels. An output depends only on its patch, not on other images or threads.
package struct FixedConvolution: Sendable {
  /// The inputs are [N, height, width, inChannels], surrounded by zeros.
  package struct Shape: Sendable, Equatable {
    package let inChannels: Int
    package let outChannels: Int
    package let kernelHeight: Int
    package let kernelWidth: Int
    package let stride: Int
    package let padHeight: Int
    package let padWidth: Int

    /// - Parameters:
    ///   - padHeight: rows of zeros above and below.
    ///   - padWidth: columns of zeros at the left and the right.
    package init(
      inChannels: Int, outChannels: Int, kernelHeight: Int, kernelWidth: Int, stride: Int = 1, padHeight: Int = 0,
      padWidth: Int = 0
    ) {
      self.inChannels = inChannels
      self.outChannels = outChannels
      self.kernelHeight = kernelHeight
      self.kernelWidth = kernelWidth
      self.stride = stride
      self.padHeight = padHeight
      self.padWidth = padWidth
    }

    package var kernelCount: Int { kernelHeight * kernelWidth * inChannels * outChannels }

    package func geometry(images: Int, height: Int, width: Int) -> PatchGeometry {
      PatchGeometry(
        images: images, height: height, width: width, channels: inChannels, kernelHeight: kernelHeight,
        kernelWidth: kernelWidth, stride: stride, padTop: padHeight, padLeft: padWidth, padBottom: padHeight,
        padRight: padWidth)
    }
  }

  package let shape: Shape
  /// Whether negative outputs become zero.
  package let rectifies: Bool
  private let strips: [Strip]
  /// [strip][kernelHeight, kernelWidth, inChannels][strip.width].
  private let weights: FloatBuffer
  /// [strip][strip.width].
  private var bias: FloatBuffer
  /// The zeros outside of the image.
  private let zeros: FloatBuffer

  /// - Parameters:
  ///   - kernel: [kernelHeight, kernelWidth, inChannels, outChannels].
  ///   - bias: [outChannels].
  package init(_ shape: Shape, kernel: [Float], bias: [Float], rectifies: Bool) {
    verify(kernel.count == shape.kernelCount && bias.count == shape.outChannels, "parameters of another shape")
    self.shape = shape
    self.rectifies = rectifies
    strips = Strip.covering(shape.outChannels)
    let depth = shape.kernelHeight * shape.kernelWidth * shape.inChannels
    let columns = strips.reduce(0) { $0 + $1.width }
    weights = FloatBuffer(count: depth * columns)
    // Only the last strip may lack columns.
    let missing = [Float](repeating: 0, count: columns - bias.count)
    self.bias = Tensor(bias + missing, shape: [columns]).buffer
    zeros = FloatBuffer(repeating: 0, count: shape.inChannels)
    for strip in strips {
      let target = weights.pointer + depth * strip.start
      for row in 0..<depth {
        let source = row * shape.outChannels + strip.start
        for column in 0..<strip.width {
          target[row * strip.width + column] = column < strip.count ? kernel[source + column] : 0
        }
      }
    }
  }

  /// The same with a zero bias, sharing the weights.
  package var withoutBias: FixedConvolution {
    var copy = self
    copy.bias = FloatBuffer(repeating: 0, count: bias.count)
    return copy
  }

  /// - Parameters:
  ///   - x: [N, height, width, inChannels].
  ///   - y: [N, the geometry's outputHeight, outputWidth, outChannels]; overwritten.
  package func callAsFunction(_ x: ImageView, into y: ImageView, workers: WorkerPool) {
    let geometry = shape.geometry(images: x.images, height: x.height, width: x.width)
    verify(x.channels == shape.inChannels && y.channels == shape.outChannels, "the channels do not fit the shape")
    verify(
      y.images == x.images && y.height == geometry.outputHeight && y.width == geometry.outputWidth, "wrong result shape"
    )
    let source = PatchSource(geometry, x, zeros: UnsafePointer(zeros.pointer))
    let rows = geometry.patchCount
    // Parts of equal size, enough for all threads.
    let parts = max((rows + Self.maximumRows - 1) / Self.maximumRows, min(workers.threadCount, rows / Self.minimumRows))
    let partRows = roundUp((rows + max(parts, 1) - 1) / max(parts, 1), MicroKernel.rows)
    let stripParts = min(strips.count, (workers.threadCount + parts - 1) / max(parts, 1))
    workers.forEach((rows + partRows - 1) / partRows * stripParts) { item in
      let (part, stripPart) = item.quotientAndRemainder(dividingBy: stripParts)
      let some = stripPart * strips.count / stripParts..<(stripPart + 1) * strips.count / stripParts
      compute(source, rows: part * partRows..<min((part + 1) * partRows, rows), strips: strips[some], into: y)
    }
    withExtendedLifetime((x, y)) {}
  }

  /// The number of patches processed together for all strips: their inputs stay in the second-level cache.
  private static let maximumRows = 256
  /// The minimum number of patches per thread that justifies reading the weights once more.
  private static let minimumRows = 64

  private func compute(_ source: PatchSource, rows: Range<Int>, strips: ArraySlice<Strip>, into y: ImageView) {
    let width = MicroKernel.rows
    let depth = source.runs * source.runLength
    let kernel = MicroKernel.best
    source.withPointers(of: rows) { pointers in
      for strip in strips {
        let stripWeights = weights.pointer + depth * strip.start
        func multiply(_ row: Int, into target: UnsafeMutablePointer<Float>, stride: Int) {
          kernel.multiplyPatches(
            width: strip.width, runs: source.runs, runLength: source.runLength,
            patches: pointers + (row - rows.lowerBound) * source.runs, weights: stripWeights,
            bias: bias.pointer + strip.start, minimum: rectifies ? 0 : -.infinity, into: target, stride: stride)
        }
        for row in stride(from: rows.lowerBound, to: rows.upperBound, by: width) {
          let target = y.pointer + row * y.pixelStride + strip.start
          let rowCount = min(width, rows.upperBound - row)
          if rowCount == width && strip.isWhole {
            multiply(row, into: target, stride: y.pixelStride)
          } else {
            withScratch(width * strip.width) { scratch in
              multiply(row, into: scratch, stride: strip.width)
              for r in 0..<rowCount {
                (target + r * y.pixelStride).update(from: scratch + r * strip.width, count: strip.count)
              }
            }
          }
        }
      }
    }
  }
}

/// The addresses of the pixels under a convolution's patches.
private struct PatchSource {
  private let geometry: PatchGeometry
  private let x: UnsafePointer<Float>
  private let pixelStride: Int
  private let zeros: UnsafePointer<Float>
  /// The number of taps that are contiguous in memory: a kernel's row, if none of its columns can be outside.
  private let tapsPerRun: Int
  let runs: Int
  let runLength: Int

  /// - Parameter zeros: a pixel of zeros.
  init(_ geometry: PatchGeometry, _ x: ImageView, zeros: UnsafePointer<Float>) {
    self.geometry = geometry
    self.x = UnsafePointer(x.pointer)
    self.zeros = zeros
    pixelStride = x.pixelStride
    let isPadded = geometry.padTop + geometry.padBottom + geometry.padLeft + geometry.padRight > 0
    tapsPerRun = isPadded || x.pixelStride != x.channels ? 1 : geometry.kernelWidth
    runs = geometry.kernelHeight * geometry.kernelWidth / tapsPerRun
    runLength = tapsPerRun * geometry.channels
  }

  /// Calls `body` with the addresses [rows / 8][runs][8]. Missing patches repeat the last one.
  func withPointers(of rows: Range<Int>, _ body: (UnsafePointer<UnsafePointer<Float>>) -> Void) {
    let width = MicroKernel.rows
    let count = roundUp(rows.count, width) * runs
    withScratch(2 * count) { scratch in
      let pointers = UnsafeMutableRawPointer(scratch).bindMemory(to: UnsafePointer<Float>.self, capacity: count)
      let columns = geometry.kernelWidth / tapsPerRun
      for index in 0..<roundUp(rows.count, width) {
        let (block, lane) = index.quotientAndRemainder(dividingBy: width)
        let target = pointers + block * runs * width + lane
        let (line, ox) = min(rows.lowerBound + index, rows.upperBound - 1)
          .quotientAndRemainder(dividingBy: geometry.outputWidth)
        let (image, oy) = line.quotientAndRemainder(dividingBy: geometry.outputHeight)
        let (top, left) = (oy * geometry.stride - geometry.padTop, ox * geometry.stride - geometry.padLeft)
        for ky in 0..<geometry.kernelHeight {
          let isRowInside = 0 <= top + ky && top + ky < geometry.height
          let row = x + (image * geometry.height + top + ky) * geometry.width * pixelStride
          for run in 0..<columns {
            let column = left + run
            let isInside = isRowInside && 0 <= column && column < geometry.width
            target[(ky * columns + run) * width] = isInside ? row + column * pixelStride : zeros
          }
        }
      }
      body(pointers)
    }
  }
}
