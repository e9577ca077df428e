/// What an operation has to do, counted from its shapes: what its time can be compared with.
public struct Work: Sendable, Equatable {
  /// Multiplications and additions of products and their sums, as the kernel makes them. Winograd's transforms, the
  /// rest of vectors and blocks that shapes do not fill, and whatever is done once per element are not counted.
  public var arithmetic: Int
  /// The same for the direct way to compute the result: what is usually called its FLOPs.
  public var directArithmetic: Int
  /// Bytes of the operands and the results, each read or written once: the least that must move.
  public var bytes: Int

  /// - Parameters:
  ///   - directArithmetic: like `arithmetic` where nil.
  ///   - floats: operands and results.
  public init(arithmetic: Int = 0, directArithmetic: Int? = nil, floats: Int = 0) {
    self.arithmetic = arithmetic
    self.directArithmetic = directArithmetic ?? arithmetic
    bytes = floats * MemoryLayout<Float>.stride
  }

  public static func += (sum: inout Work, work: Work) {
    sum.arithmetic += work.arithmetic
    sum.directArithmetic += work.directArithmetic
    sum.bytes += work.bytes
  }
}

extension Winograd.Geometry {
  /// Of a convolution, or of its gradient with respect to x.
  ///
  /// - Parameter addend: floats that are added to the result.
  public func convolutionWork(addend: Int = 0) -> Work { work(floats: inputCount + kernelCount + outputCount + addend) }

  /// Of the gradient with respect to the kernel, which is added to what is there.
  public var kernelGradientWork: Work { work(floats: inputCount + outputCount + 2 * kernelCount) }

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
  /// Of C = A·B.
  ///
  /// - Parameter addend: floats that are added to the result.
  public static func work(rows: Int, columns: Int, depth: Int, addend: Int = 0) -> Work {
    Work(
      arithmetic: 2 * rows * columns * depth, floats: rows * depth + depth * columns + rows * columns + addend)
  }
}

extension Attention.Geometry {
  /// Two products of all queries and all keys or values. As many heads as there may be, each has its share of the
  /// channels: together they make the same.
  public var forwardWork: Work { work(products: 2, directProducts: 2, operands: 4) }

  /// Four products, and one more to make the probabilities again.
  public var backwardWork: Work { work(products: 5, directProducts: 4, operands: 7) }

  private func work(products: Int, directProducts: Int, operands: Int) -> Work {
    let product = 2 * images * tokens * tokens * channels
    return Work(
      arithmetic: products * product, directArithmetic: directProducts * product,
      floats: operands * images * tokens * channels)
  }
}
