import CBuildTarget
import CProcessor

/// The innermost product of a convolution: 8 patches by a strip of 48 or 32 outputs, held in registers.
///
/// A patch is a sequence of runs of inputs, each of which may lie anywhere: the pixels under a kernel's taps, where they
/// are in the image, or zeros. So no matrix of patches is ever written. Each output is the sum over all runs, in order:
/// it depends on nothing but its own patch.
///
/// (Dukhan: "The indirect convolution algorithm", arXiv:1907.02129.)
enum PatchMicroKernel {
  static let rows = MicroKernel.rows

  /// outputs(r, c) = max(Σ over runs and their elements k of patches(run, r)[k]·weights(run, k, c) + bias(c), least).
  ///
  /// - Parameters:
  ///   - width: columns of the strip, 48 or 32.
  ///   - patches: [runs][8], where the runs of each patch begin.
  ///   - weights: [runs][runLength][width].
  ///   - bias: [width].
  ///   - outputs: row r is at r·stride.
  @inline(__always)
  static func multiply(
    width: Int, runs: Int, runLength: Int, patches: UnsafePointer<UnsafePointer<Float>>,
    weights: UnsafePointer<Float>, bias: UnsafePointer<Float>, minimum: Float,
    into outputs: UnsafeMutablePointer<Float>,
    stride outputStride: Int
  ) {
    if DDPM_VECTOR_BITS == 512 {
      if width == 48 {
        multiply8x48(runs, runLength, patches, weights, bias, minimum, outputs, outputStride)
      } else {
        multiply8x32(runs, runLength, patches, weights, bias, minimum, outputs, outputStride)
      }
    } else {
      // 16 registers of 256 bits hold a 4 x 16 block and its operands.
      for column in stride(from: 0, to: width, by: vectorWidth) {
        for row in stride(from: 0, to: rows, by: 4) {
          multiply4x16(
            runs, runLength, patches + row, weights + column, width, bias + column, minimum,
            outputs + row * outputStride + column, outputStride)
        }
      }
    }
  }

  @inline(never)
  private static func multiply8x48(
    _ runs: Int, _ runLength: Int, _ patches: UnsafePointer<UnsafePointer<Float>>, _ weights: UnsafePointer<Float>,
    _ bias: UnsafePointer<Float>, _ minimum: Float, _ outputs: UnsafeMutablePointer<Float>, _ outputStride: Int
  ) {
    multiply8(ThreeVectors.self, 48, runs, runLength, patches, weights, bias, minimum, outputs, outputStride)
  }

  @inline(never)
  private static func multiply8x32(
    _ runs: Int, _ runLength: Int, _ patches: UnsafePointer<UnsafePointer<Float>>, _ weights: UnsafePointer<Float>,
    _ bias: UnsafePointer<Float>, _ minimum: Float, _ outputs: UnsafeMutablePointer<Float>, _ outputStride: Int
  ) {
    multiply8(TwoVectors.self, 32, runs, runLength, patches, weights, bias, minimum, outputs, outputStride)
  }

  // The sums and places are named variables: an array of them would not stay in registers.
  @inline(__always)
  private static func multiply8<Row: RowOfVectors>(
    _: Row.Type, _ width: Int, _ runs: Int, _ runLength: Int, _ patches: UnsafePointer<UnsafePointer<Float>>,
    _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, _ minimum: Float,
    _ outputs: UnsafeMutablePointer<Float>, _ outputStride: Int
  ) {
    var (c0, c1, c2, c3) = (Row(), Row(), Row(), Row())
    var (c4, c5, c6, c7) = (Row(), Row(), Row(), Row())
    var strip = weights
    var places = patches
    for row in 0..<rows { Row.prefetchToWrite(outputs + row * outputStride) }
    for _ in 0..<runs {
      let (p0, p1, p2, p3) = (places[0], places[1], places[2], places[3])
      let (p4, p5, p6, p7) = (places[4], places[5], places[6], places[7])
      for k in 0..<runLength {
        let row = Row(loading: strip)
        c0.addProduct(p0[k], row)
        c1.addProduct(p1[k], row)
        c2.addProduct(p2[k], row)
        c3.addProduct(p3[k], row)
        c4.addProduct(p4[k], row)
        c5.addProduct(p5[k], row)
        c6.addProduct(p6[k], row)
        c7.addProduct(p7[k], row)
        strip += width
      }
      places += rows
    }
    let offset = Row(loading: bias)
    c0.store(outputs, bias: offset, minimum: minimum)
    c1.store(outputs + outputStride, bias: offset, minimum: minimum)
    c2.store(outputs + 2 * outputStride, bias: offset, minimum: minimum)
    c3.store(outputs + 3 * outputStride, bias: offset, minimum: minimum)
    c4.store(outputs + 4 * outputStride, bias: offset, minimum: minimum)
    c5.store(outputs + 5 * outputStride, bias: offset, minimum: minimum)
    c6.store(outputs + 6 * outputStride, bias: offset, minimum: minimum)
    c7.store(outputs + 7 * outputStride, bias: offset, minimum: minimum)
  }

  @inline(never)
  private static func multiply4x16(
    _ runs: Int, _ runLength: Int, _ patches: UnsafePointer<UnsafePointer<Float>>, _ weights: UnsafePointer<Float>,
    _ weightStride: Int, _ bias: UnsafePointer<Float>, _ minimum: Float, _ outputs: UnsafeMutablePointer<Float>,
    _ outputStride: Int
  ) {
    var (c0, c1, c2, c3) = (OneVector(), OneVector(), OneVector(), OneVector())
    var strip = weights
    var places = patches
    for _ in 0..<runs {
      let (p0, p1, p2, p3) = (places[0], places[1], places[2], places[3])
      for k in 0..<runLength {
        let row = OneVector(loading: strip)
        c0.addProduct(p0[k], row)
        c1.addProduct(p1[k], row)
        c2.addProduct(p2[k], row)
        c3.addProduct(p3[k], row)
        strip += weightStride
      }
      places += rows
    }
    let offset = OneVector(loading: bias)
    c0.store(outputs, bias: offset, minimum: minimum)
    c1.store(outputs + outputStride, bias: offset, minimum: minimum)
    c2.store(outputs + 2 * outputStride, bias: offset, minimum: minimum)
    c3.store(outputs + 3 * outputStride, bias: offset, minimum: minimum)
  }
}
