import CBuildTarget
import Tensors

/// Products of matrices of floats in double precision, C += A·B.
///
/// A product of two floats is exact in a double, which has more than twice their digits. Element (r, c) adds the exact
/// products a(r, k)·b(k, c) to what it was, in the order of k, and is rounded at each addition and nowhere else. So its
/// bits depend on row r, column c and that order alone: not on tiles, threads, the width of vectors or the processor,
/// nor on how many calls the sum over k is divided into.
public enum PreciseProduct {
  /// Terms that are added in one go: a panel of B that long is as large as the first-level cache.
  static let depthBlock = 256
  /// Panels of A and B that an item of work takes: so many rows of A stay in the second-level cache.
  private static let rowPanels = 12
  private static let columnPanels = 8

  /// C += A·B.
  ///
  /// - Parameters:
  ///   - a: [rows, depth].
  ///   - b: [depth, columns].
  ///   - c: [rows, columns], element (r, c) at r·rowStride + c.
  ///   - diagonal: where given, only elements (r, c) with c ≥ r + diagonal are needed; others hold undefined numbers
  ///     afterwards.
  public static func add(
    _ a: MatrixView, _ b: MatrixView, to c: UnsafeMutablePointer<Double>, rowStride: Int, rows: Int, columns: Int,
    depth: Int, fromDiagonal diagonal: Int? = nil, workers: WorkerPool
  ) {
    let left = Panels(count: rows, width: DoubleKernel.rows)
    let right = Panels(count: columns, width: DoubleKernel.columns)
    let piece = min(depth, depthBlock)
    let packed = FloatBuffer.doubles(count: (left.paddedCount + right.paddedCount) * piece)
    withExtendedLifetime(packed) {
      let packedA = packed.doublePointer
      let packedB = packedA + left.paddedCount * piece
      for first in stride(from: 0, to: depth, by: depthBlock) {
        let length = min(depthBlock, depth - first)
        workers.forEach(left.panelCount + right.panelCount) { panel in
          if panel < left.panelCount {
            left.pack(a.columns(from: first).transposed, panel, depth: length, into: packedA)
          } else {
            right.pack(b.rows(from: first), panel - left.panelCount, depth: length, into: packedB)
          }
        }
        let blocks = (left.panelCount + rowPanels - 1) / rowPanels
        let parts = (right.panelCount + columnPanels - 1) / columnPanels
        workers.forEach(blocks * parts) { item in
          let (block, part) = item.quotientAndRemainder(dividingBy: parts)
          for j in part * columnPanels..<min((part + 1) * columnPanels, right.panelCount) {
            for i in block * rowPanels..<min((block + 1) * rowPanels, left.panelCount) {
              let (row, column) = (i * left.width, j * right.width)
              let (rowCount, columnCount) = (min(left.width, rows - row), min(right.width, columns - column))
              if let diagonal, column + columnCount <= row + diagonal { continue }
              DoubleKernel.add(
                packedA + row * length, packedB + column * length, depth: length, to: c + row * rowStride + column,
                rowStride: rowStride, rowCount: rowCount, columnCount: columnCount)
            }
          }
        }
      }
    }
  }
}

/// Columns of a matrix, some at a time, in the order in which `DoubleKernel` reads them: [panel][depth][width].
private struct Panels {
  let count: Int
  let width: Int

  var panelCount: Int { (count + width - 1) / width }
  var paddedCount: Int { panelCount * width }

  /// Columns that do not exist are zeros.
  func pack(_ matrix: MatrixView, _ panel: Int, depth: Int, into packed: UnsafeMutablePointer<Double>) {
    let first = panel * width
    let present = min(width, count - first)
    let source = matrix.pointer + first * matrix.columnStride
    let target = packed + first * depth
    for k in 0..<depth {
      let (from, to) = (source + k * matrix.rowStride, target + k * width)
      for column in 0..<present { to[column] = Double(from[column * matrix.columnStride]) }
      for column in present..<width { to[column] = 0 }
    }
  }
}

/// The innermost product in double precision: 8 rows of C by 24 columns, held in registers of 512 bits. With narrower
/// ones, 4 rows by 8 columns at a time.
private enum DoubleKernel {
  static let rows = 8
  static let columns = 24

  /// - Parameters:
  ///   - a: [depth, 8].
  ///   - b: [depth, 24].
  ///   - rowCount: rows that exist, like `columnCount`; nothing is written beyond.
  @inline(__always)
  static func add(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, depth: Int, to c: UnsafeMutablePointer<Double>,
    rowStride: Int, rowCount: Int, columnCount: Int
  ) {
    if rowCount == rows && columnCount == columns {
      addTile(a, b, depth, c, rowStride)
      return
    }
    let tile = FloatBuffer.doubles(count: rows * columns)
    withExtendedLifetime(tile) {
      let sums = tile.doublePointer
      sums.update(repeating: 0, count: rows * columns)
      for row in 0..<rowCount { (sums + row * columns).update(from: c + row * rowStride, count: columnCount) }
      addTile(a, b, depth, sums, columns)
      for row in 0..<rowCount { (c + row * rowStride).update(from: sums + row * columns, count: columnCount) }
    }
  }

  @inline(__always)
  private static func addTile(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ depth: Int, _ c: UnsafeMutablePointer<Double>,
    _ rowStride: Int
  ) {
    if DDPM_VECTOR_BITS == 512 {
      add8x24(a, b, depth, c, rowStride)
    } else {
      for column in stride(from: 0, to: columns, by: 8) {
        for row in stride(from: 0, to: rows, by: 4) {
          add4x8(a + row, b + column, depth, c + row * rowStride + column, rowStride)
        }
      }
    }
  }

  // The sums are named variables: an array of them would not stay in registers.
  @inline(never)
  private static func add8x24(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ depth: Int, _ c: UnsafeMutablePointer<Double>,
    _ stride: Int
  ) {
    var (c0, c1, c2, c3) = (Row24(c), Row24(c + stride), Row24(c + 2 * stride), Row24(c + 3 * stride))
    var (c4, c5) = (Row24(c + 4 * stride), Row24(c + 5 * stride))
    var (c6, c7) = (Row24(c + 6 * stride), Row24(c + 7 * stride))
    var (column, strip) = (a, b)
    for _ in 0..<depth {
      let row = Row24(strip)
      c0.addProduct(column[0], row)
      c1.addProduct(column[1], row)
      c2.addProduct(column[2], row)
      c3.addProduct(column[3], row)
      c4.addProduct(column[4], row)
      c5.addProduct(column[5], row)
      c6.addProduct(column[6], row)
      c7.addProduct(column[7], row)
      column += rows
      strip += columns
    }
    c0.store(c)
    c1.store(c + stride)
    c2.store(c + 2 * stride)
    c3.store(c + 3 * stride)
    c4.store(c + 4 * stride)
    c5.store(c + 5 * stride)
    c6.store(c + 6 * stride)
    c7.store(c + 7 * stride)
  }

  @inline(never)
  private static func add4x8(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ depth: Int, _ c: UnsafeMutablePointer<Double>,
    _ stride: Int
  ) {
    var (c0, c1) = (Row8(c), Row8(c + stride))
    var (c2, c3) = (Row8(c + 2 * stride), Row8(c + 3 * stride))
    var (column, strip) = (a, b)
    for _ in 0..<depth {
      let row = Row8(strip)
      c0.addProduct(column[0], row)
      c1.addProduct(column[1], row)
      c2.addProduct(column[2], row)
      c3.addProduct(column[3], row)
      column += rows
      strip += columns
    }
    c0.store(c)
    c1.store(c + stride)
    c2.store(c + 2 * stride)
    c3.store(c + 3 * stride)
  }
}

/// 8 columns of a row, in registers.
private struct Row8 {
  private var x: SIMD8<Double>

  @inline(__always) init(_ pointer: UnsafePointer<Double>) {
    x = UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<Double>.self)
  }

  /// self += factor·row.
  @inline(__always) mutating func addProduct(_ factor: Double, _ row: Row8) {
    x = ddpm_add_product_of_doubles(x, SIMD8(repeating: factor), row.x)
  }

  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Double>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: x, as: SIMD8<Double>.self)
  }
}

/// 24 columns of a row, in registers.
private struct Row24 {
  private var x: Row8
  private var y: Row8
  private var z: Row8

  @inline(__always) init(_ pointer: UnsafePointer<Double>) {
    (x, y, z) = (Row8(pointer), Row8(pointer + 8), Row8(pointer + 16))
  }

  /// self += factor·row.
  @inline(__always) mutating func addProduct(_ factor: Double, _ row: Row24) {
    x.addProduct(factor, row.x)
    y.addProduct(factor, row.y)
    z.addProduct(factor, row.z)
  }

  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Double>) {
    x.store(pointer)
    y.store(pointer + 8)
    z.store(pointer + 16)
  }
}
