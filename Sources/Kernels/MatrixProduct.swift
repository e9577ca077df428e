import COpenBLAS
import Tensors

/// Dense matrix products through OpenBLAS, one thread a call: threads are the caller's.
public enum MatrixProduct {
  private static let useOneThread: Void = openblas_set_num_threads(1)

  /// The kernel family that OpenBLAS chose for this processor, such as "SkylakeX".
  public static var kernelFamily: String { String(cString: openblas_get_corename()) }

  /// C = scale·op(A)·op(B) + beta·C, all row-major; op(A) is [rows, depth], op(B) is [depth, columns].
  ///
  /// - Parameters:
  ///   - aStride: floats between rows of A as stored; by default A is dense. Likewise for B and C.
  @inline(__always)
  public static func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, rows: Int, columns: Int,
    depth: Int, transposingA: Bool = false, transposingB: Bool = false, aStride: Int? = nil, bStride: Int? = nil,
    cStride: Int? = nil, scale: Float = 1, beta: Float = 0
  ) {
    _ = useOneThread
    cblas_sgemm(
      CblasRowMajor, transposingA ? CblasTrans : CblasNoTrans, transposingB ? CblasTrans : CblasNoTrans,
      Int32(truncatingIfNeeded: rows), Int32(truncatingIfNeeded: columns), Int32(truncatingIfNeeded: depth), scale, a,
      Int32(truncatingIfNeeded: aStride ?? (transposingA ? rows : depth)), b,
      Int32(truncatingIfNeeded: bStride ?? (transposingB ? depth : columns)), beta, c,
      Int32(truncatingIfNeeded: cStride ?? columns))
  }

  /// Y = X·W, where every row of Y depends on its own row of X alone, bit for bit, whatever the number of rows: a BLAS
  /// chooses its kernels by shape and cannot promise that. For the few rows of embeddings.
  ///
  /// - Parameters:
  ///   - x: [rows, depth].
  ///   - matrix: [depth, columns].
  ///   - y: [rows, columns], overwritten.
  public static func multiplyRows(
    _ x: UnsafePointer<Float>, _ matrix: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, rows: Int,
    columns: Int, depth: Int, workers: WorkerPool
  ) {
    let (height, width) = (MicroKernel.rows, MicroKernel.columns)
    let paddedRows = roundUp(rows, height)
    withScratch(paddedRows * depth) { input in
      input.update(from: x, count: rows * depth)
      (input + rows * depth).update(repeating: 0, count: (paddedRows - rows) * depth)
      workers.forEachRange(columns, grain: width) { strip in
        withStrip(of: matrix, columns: columns, depth: depth, strip) { source, sourceStride in
          withScratch(height * width) { block in
            for row in stride(from: 0, to: rows, by: height) {
              MicroKernel.multiply(
                depth: depth, a: input + row * depth, rowStride: depth, depthStride: 1, b: source,
                bStride: sourceStride, c: block, cStride: width, accumulates: false)
              for r in row..<min(row + height, rows) {
                (y + r * columns + strip.lowerBound).update(from: block + (r - row) * width, count: strip.count)
              }
            }
          }
        }
      }
    }
  }

  /// Some columns of a matrix as the micro-kernel reads them: where they are, or filled up with zeros in a copy if
  /// there are fewer than it takes.
  private static func withStrip(
    of matrix: UnsafePointer<Float>, columns: Int, depth: Int, _ strip: Range<Int>,
    _ body: (_ source: UnsafePointer<Float>, _ stride: Int) -> Void
  ) {
    let width = MicroKernel.columns
    let source = matrix + strip.lowerBound
    if strip.count == width { return body(source, columns) }
    withScratch(depth * width) { copy in
      copy.update(repeating: 0, count: depth * width)
      for k in 0..<depth { (copy + k * width).update(from: source + k * columns, count: strip.count) }
      body(copy, width)
    }
  }
}
