import CBuildTarget
import Tensors

/// The two-dimensional discrete Hartley transform of real planes in double precision: separable, and orthonormal, so
/// that it is its own inverse and keeps sums of squares and of products (Bracewell, "Discrete Hartley transform",
/// J. Opt. Soc. Am. 73, 1983, for one dimension; the kernel here is the product cas·cas):
///
///     h[r, s] = Σ x[y, z]·cas(2πry/H)·cas(2πsz/W) / √(HW),   cas t = cos t + sin t
///
/// The coefficients are real. Those at (±r, ±s), indices modulo H and W, span the same functions as the four Fourier
/// modes with these wavenumbers. Sums of squares or products over sets that contain all four of them, such as `Shells`,
/// are therefore those of the orthonormal Fourier transform, and for a stationary field with a spectrum that depends on
/// (|r|, |s|) alone, the coefficients are uncorrelated, with the spectrum as their variances.
///
/// It is computed as two products with a matrix, at H·W·(H + W) fused multiply-adds: milliseconds for some hundred
/// points a side. Any size works. A coefficient is the sum over the rows of the sums over the columns, both in order, so
/// its bits are the same for any number of threads and on every processor.
package struct HartleyTransform: Sendable {
  /// H.
  package let height: Int
  /// W.
  package let width: Int
  private let rowTable: CasTable
  private let columnTable: CasTable

  /// - Parameters:
  ///   - height: H, at least 1.
  ///   - width: W, at least 1.
  package init(height: Int, width: Int) {
    self.height = height
    self.width = width
    rowTable = CasTable(count: height)
    columnTable = height == width ? rowTable : CasTable(count: width)
  }

  /// Replaces planes by their coefficients, or coefficients by their planes.
  ///
  /// - Parameter planes: [H, W] or [planes, H, W].
  package func transform(_ planes: TypedTensor<Double>, workers: WorkerPool = .callingThread) {
    let size = height * width
    verify(
      (2...3).contains(planes.shape.count) && planes.shape.suffix(2) == [height, width],
      "planes of shape \(planes.shape), not [\(height), \(width)] or [planes, \(height), \(width)]")
    workers.forEach(planes.count / size) { plane in
      let columns = Plane(rows: height, columns: width)
      let columnSums = Plane(rows: height, columns: width)
      let rows = Plane(rows: width, columns: height)
      let rowSums = Plane(rows: width, columns: height)
      withExtendedLifetime((planes, columns, columnSums, rows, rowSums)) {
        let elements = planes.pointer + plane * size
        columns.copy(elements, rowStride: width, columnStride: 1)
        columnSums.multiply(rowTable, columns)
        rows.copy(columnSums.numbers.pointer, rowStride: 1, columnStride: columnSums.stride)
        rowSums.multiply(columnTable, rows)
        for row in 0..<height {
          for column in 0..<width {
            elements[row * width + column] = rowSums.numbers.pointer[column * rowSums.stride + row]
          }
        }
      }
    }
  }
}

/// Eight doubles: one 512-bit register, or two of 256 bits.
private typealias Vector = SIMD8<Double>

/// A matrix whose rows are whole vectors; what is beyond its columns is zero.
private struct Plane {
  let rows: Int
  let columns: Int
  let stride: Int
  let numbers: Buffer<Double>

  init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    stride = (columns + Vector.scalarCount - 1) / Vector.scalarCount * Vector.scalarCount
    numbers = Buffer(count: rows * stride)
  }

  func copy(_ source: UnsafePointer<Double>, rowStride: Int, columnStride: Int) {
    withExtendedLifetime(numbers) {
      for row in 0..<rows {
        let (from, to) = (source + row * rowStride, numbers.pointer + row * stride)
        for column in 0..<columns { to[column] = from[column * columnStride] }
        for column in columns..<stride { to[column] = 0 }
      }
    }
  }

  /// Overwrites this with the product of the table's matrix and another plane of this shape: element (r, c) adds
  /// c[r, k]·x[k, c] in the order of k.
  func multiply(_ table: CasTable, _ other: Plane) {
    withExtendedLifetime((table, other)) {
      for column in Swift.stride(from: 0, to: stride, by: Vector.scalarCount) {
        var row = 0
        while row + 4 <= rows {
          multiplyFour(table, other, row: row, column: column)
          row += 4
        }
        while row < rows {
          multiplyOne(table, other, row: row, column: column)
          row += 1
        }
      }
    }
  }

  /// Rows `row` … `row` + 3 of a product, whose sums stay in registers.
  private func multiplyFour(_ table: CasTable, _ other: Plane, row: Int, column: Int) {
    let (cas, source) = (table.values.pointer, other.numbers.pointer + column)
    var (index0, index1, index2, index3) = (0, 0, 0, 0)
    var (sum0, sum1, sum2, sum3) = (Vector(), Vector(), Vector(), Vector())
    for k in 0..<rows {
      let numbers = load(source + k * stride)
      sum0 = ddpm_add_product_of_doubles(sum0, Vector(repeating: cas[index0]), numbers)
      sum1 = ddpm_add_product_of_doubles(sum1, Vector(repeating: cas[index1]), numbers)
      sum2 = ddpm_add_product_of_doubles(sum2, Vector(repeating: cas[index2]), numbers)
      sum3 = ddpm_add_product_of_doubles(sum3, Vector(repeating: cas[index3]), numbers)
      index0 = next(index0, row)
      index1 = next(index1, row + 1)
      index2 = next(index2, row + 2)
      index3 = next(index3, row + 3)
    }
    store(sum0, row: row, column: column)
    store(sum1, row: row + 1, column: column)
    store(sum2, row: row + 2, column: column)
    store(sum3, row: row + 3, column: column)
  }

  private func multiplyOne(_ table: CasTable, _ other: Plane, row: Int, column: Int) {
    let (cas, source) = (table.values.pointer, other.numbers.pointer + column)
    var (index, sum) = (0, Vector())
    for k in 0..<rows {
      sum = ddpm_add_product_of_doubles(sum, Vector(repeating: cas[index]), load(source + k * stride))
      index = next(index, row)
    }
    store(sum, row: row, column: column)
  }

  /// (index + row) mod rows: from r·k to r·(k + 1).
  @inline(__always)
  private func next(_ index: Int, _ row: Int) -> Int {
    let sum = index + row
    return sum >= rows ? sum - rows : sum
  }

  @inline(__always)
  private func load(_ pointer: UnsafePointer<Double>) -> Vector {
    UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self)
  }

  @inline(__always)
  private func store(_ vector: Vector, row: Int, column: Int) {
    UnsafeMutableRawPointer(numbers.pointer + row * stride + column).storeBytes(of: vector, as: Vector.self)
  }
}
