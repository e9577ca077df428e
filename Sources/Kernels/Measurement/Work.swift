/// The work of an operation, computed from its shapes; its run time can be compared with it.
package struct Work: Sendable, Equatable {
  /// Multiplications and additions of products and their sums, as the kernel performs them. Winograd's transforms,
  /// padding of vectors and blocks, and elementwise work are not counted.
  package var arithmetic: Int
  /// The same for the direct method: what is usually called its FLOPs.
  package var directArithmetic: Int
  /// Bytes of the operands and the results, each read or written once: the minimum memory traffic.
  package var bytes: Int

  /// - Parameters:
  ///   - directArithmetic: the same as `arithmetic` if nil.
  ///   - floats: the number of floats in operands and results.
  package init(arithmetic: Int = 0, directArithmetic: Int? = nil, floats: Int = 0) {
    self.arithmetic = arithmetic
    self.directArithmetic = directArithmetic ?? arithmetic
    bytes = floats * MemoryLayout<Float>.stride
  }

  package static func += (sum: inout Work, work: Work) {
    sum.arithmetic += work.arithmetic
    sum.directArithmetic += work.directArithmetic
    sum.bytes += work.bytes
  }
}

extension Winograd.Geometry {
  /// The work of a convolution, or of its gradient with respect to x.
  ///
  /// - Parameter addend: the number of floats that are added to the result.
  package func convolutionWork(addend: Int = 0) -> Work {
    work(floats: inputCount + kernelCount + outputCount + addend)
  }

  /// The work of the gradient with respect to the kernel, which is added to the existing gradient.
  package var kernelGradientWork: Work { work(floats: inputCount + outputCount + 2 * kernelCount) }

  private var inputCount: Int { images * height * width * inChannels / (enlargesInput ? 4 : 1) }
  private var outputCount: Int { images * height * width * outChannels }
  private var kernelCount: Int { 9 * inChannels * outChannels }

  private func work(floats: Int) -> Work {
    let points = enlargesInput ? EnlargedPoints.count : SixPoints.count
    return Work(
      arithmetic: 2 * points * tileCount * inChannels * outChannels,
      directArithmetic: 2 * images * height * width * kernelCount, floats: floats)
  }
}

extension MatrixProduct {
  /// The work of C = A·B.
  ///
  /// - Parameter addend: the number of floats that are added to the result.
  package static func work(rows: Int, columns: Int, depth: Int, addend: Int = 0) -> Work {
    Work(
      arithmetic: 2 * rows * columns * depth, floats: rows * depth + depth * columns + rows * columns + addend)
  }
}

extension Attention.Geometry {
  /// Two products of all queries with all keys or values. The number of heads does not matter, since each has its share
  /// of the channels.
  package var forwardWork: Work { work(products: 2, directProducts: 2, operands: 4) }

  /// Four products, and one more to recompute the probabilities.
  package var backwardWork: Work { work(products: 5, directProducts: 4, operands: 7) }

  private func work(products: Int, directProducts: Int, operands: Int) -> Work {
    let product = 2 * images * tokens * tokens * channels
    return Work(
      arithmetic: products * product, directArithmetic: directProducts * product,
      floats: operands * images * tokens * channels)
  }
}
