import MicroKernels
import Tensors

/// A matrix in place: element (r, c) is at `pointer[r·rowStride + c·columnStride]`.
struct MatrixPointer {
  let pointer: UnsafePointer<Float>
  @usableFromInline let rowStride: Int
  let columnStride: Int

  /// By default a row-major matrix, whose rows are `rowStride` floats apart.
  init(_ pointer: UnsafePointer<Float>, rowStride: Int, columnStride: Int = 1) {
    self.pointer = pointer
    self.rowStride = rowStride
    self.columnStride = columnStride
  }

  /// The columns from `first` on.
  func columns(from first: Int) -> MatrixPointer {
    MatrixPointer(pointer + first * columnStride, rowStride: rowStride, columnStride: columnStride)
  }

  /// The rows from `first` on.
  func rows(from first: Int) -> MatrixPointer {
    MatrixPointer(pointer + first * rowStride, rowStride: rowStride, columnStride: columnStride)
  }

  /// The same memory with rows and columns exchanged.
  var transposed: MatrixPointer { MatrixPointer(pointer, rowStride: columnStride, columnStride: rowStride) }
}

/// Dense matrix products C = A·B (+ bias + addend).
///
/// B is processed in strips of 48 or 32 columns, copied into the order in which `MicroKernel` reads them; A is read in
/// place, eight rows at a time. Long sums are divided into fixed pieces of `depthBlock` terms. Element (r, c) therefore
/// depends, bit for bit, only on row r of A and column c of B: not on the number of rows, columns or threads.
package enum MatrixProduct {
  /// Some columns of A, stored separately.
  struct Part {
    let matrix: MatrixPointer
    let columns: Int
  }

  /// What to compute; A is [rows, depth], B [depth, columns], C [rows, columns], for any number of rows.
  struct Task {
    let a: [Part]
    let b: MatrixPointer
    let c: UnsafeMutablePointer<Float>
    let cStride: Int
    let columns: Int
    let bias: UnsafePointer<Float>?
    let addend: UnsafePointer<Float>?
    let kernel = MicroKernel.best
  }

  /// The number of terms added at a time; a strip of B of this length, 24 KiB at most, stays in the first-level cache.
  static let depthBlock = 128
  /// The number of rows for which a strip of B is copied once.
  private static let rowBlock = 512
  /// The minimum number of rows for which the copy pays off, if threads share few rows.
  private static let minimumRowBlock = 64
  /// With fewer rows, B is read in place: copying it would cost more than it saves.
  static let fewRows = 32

  /// C = A·B + bias + addend.
  ///
  /// - Parameters:
  ///   - a: [rows, depth].
  ///   - b: [depth, columns].
  ///   - c: [rows, columns], overwritten.
  ///   - cStride: the distance between c's rows in floats, if these are parts of longer rows; the same applies to
  ///     addend's rows.
  ///   - bias: [columns], added to every row.
  ///   - addend: laid out like C; may be C, to which the product is then added.
  static func multiply(
    _ a: MatrixPointer, _ b: MatrixPointer, into c: UnsafeMutablePointer<Float>, cStride: Int? = nil, rows: Int,
    columns: Int,
    depth: Int, bias: UnsafePointer<Float>? = nil, addend: UnsafePointer<Float>? = nil, workers: WorkerPool
  ) {
    multiply(
      [Part(matrix: a, columns: depth)], b, into: c, cStride: cStride, rows: rows, columns: columns, bias: bias,
      addend: addend,
      workers: workers)
  }

  /// The same for A in separate parts, whose columns are joined.
  static func multiply(
    _ a: [Part], _ b: MatrixPointer, into c: UnsafeMutablePointer<Float>, cStride: Int? = nil, rows: Int, columns: Int,
    bias: UnsafePointer<Float>? = nil, addend: UnsafePointer<Float>? = nil, workers: WorkerPool
  ) {
    let task = Task(a: a, b: b, c: c, cStride: cStride ?? columns, columns: columns, bias: bias, addend: addend)
    let strips = Strip.covering(columns)
    let threads = workers.threadCount
    // As many blocks of rows as give each thread the same number of blocks. If the blocks would be too short for
    // copying B, each item gets a share of the strips instead.
    let atLeast = (rows + rowBlock - 1) / rowBlock
    let even = (atLeast + threads - 1) / threads * threads
    let isShared = rows >= even * minimumRowBlock
    let blockRows = isShared ? roundUp((rows + even - 1) / even, MicroKernel.rows) : rowBlock
    let blocks = (rows + blockRows - 1) / blockRows
    let parts = isShared ? 1 : strips.count
    workers.forEach(blocks * parts) { item in
      let (block, part) = item.quotientAndRemainder(dividingBy: parts)
      task.compute(
        strips[part * strips.count / parts..<(part + 1) * strips.count / parts],
        rows: block * blockRows..<min((block + 1) * blockRows, rows))
    }
  }
}

extension MatrixProduct.Task {
  /// Computes the columns of some strips for some rows of C.
  func compute(_ strips: ArraySlice<Strip>, rows: Range<Int>) {
    let isShort = rows.count <= MatrixProduct.fewRows && b.columnStride == 1
    // The start of each piece of the sums in a part of A, and the matching rows of B.
    var pieces: [(a: MatrixPointer, depths: Range<Int>)] = []
    var depth = 0
    for part in a {
      for first in stride(from: 0, to: part.columns, by: MatrixProduct.depthBlock) {
        let count = min(MatrixProduct.depthBlock, part.columns - first)
        pieces.append((part.matrix.columns(from: first), depth + first..<depth + first + count))
      }
      depth += part.columns
    }
    if depth == 0 { return strips.forEach { clearToAddend($0, rows: rows) } }
    withScratch(min(depth, MatrixProduct.depthBlock) * (strips.first?.width ?? 0)) { packed in
      for (a, depths) in pieces {
        for strip in strips {
          var (source, sourceStride) = (UnsafePointer(packed), strip.width)
          if isShort && strip.isWhole {
            (source, sourceStride) = (b.pointer + depths.lowerBound * b.rowStride + strip.start, b.rowStride)
          } else {
            b.pack(strip, rows: depths, into: packed)
          }
          for row in stride(from: rows.lowerBound, to: rows.upperBound, by: MicroKernel.rows) {
            multiplyBlock(
              a, row: row, rowCount: min(MicroKernel.rows, rows.upperBound - row), strip: strip, depths: depths,
              b: source, bStride: sourceStride)
          }
        }
      }
    }
  }

  /// - Parameter a: starts at the column of the first of `depths`.
  private func multiplyBlock(
    _ a: MatrixPointer, row: Int, rowCount: Int, strip: Strip, depths: Range<Int>, b: UnsafePointer<Float>, bStride: Int
  ) {
    let isFirst = depths.lowerBound == 0
    let source = a.pointer + row * a.rowStride
    if rowCount == MicroKernel.rows && strip.isWhole {
      let hasStart = !isFirst || putStart(strip, row: row, rowCount: rowCount)
      kernel.multiply(
        width: strip.width, depth: depths.count, a: source, rowStride: a.rowStride, depthStride: a.columnStride, b: b,
        bStride: bStride, c: c + row * cStride + strip.start, cStride: cStride, accumulates: hasStart)
      return
    }
    // Missing rows repeat the last one and are not stored; missing columns are handled the same way.
    withScratch(MicroKernel.rows * (strip.width + depths.count)) { scratch in
      let (sums, rows) = (scratch, scratch + MicroKernel.rows * strip.width)
      for r in 0..<MicroKernel.rows {
        let from = source + min(r, rowCount - 1) * a.rowStride
        for k in 0..<depths.count { rows[r * depths.count + k] = from[k * a.columnStride] }
      }
      kernel.multiply(
        width: strip.width, depth: depths.count, a: rows, rowStride: depths.count, depthStride: 1, b: b,
        bStride: bStride, c: sums, cStride: strip.width, accumulates: false)
      let hasStart = !isFirst || putStart(strip, row: row, rowCount: rowCount)
      for r in 0..<rowCount {
        let (from, to) = (sums + r * strip.width, c + (row + r) * cStride + strip.start)
        for column in 0..<strip.count { to[column] = hasStart ? to[column] + from[column] : from[column] }
      }
    }
  }

  /// Writes bias + addend to the targets of the sums; returns false and writes nothing if there is neither.
  @inline(__always)
  private func putStart(_ strip: Strip, row: Int, rowCount: Int) -> Bool {
    if bias == nil && addend == nil { return false }
    if bias == nil && addend == UnsafePointer(c) { return true }
    for r in row..<row + rowCount {
      let offset = r * cStride + strip.start
      @inline(__always)
      func put(_ column: Int, _ lanes: Int) {
        var start = Vector.zero
        if let bias { start += load(bias + strip.start + column, lanes) }
        if let addend { start += load(addend + offset + column, lanes) }
        store(start, c + offset + column, lanes)
      }
      forEachVector(strip.count, put)
    }
    return true
  }

  /// The product with zero terms.
  private func clearToAddend(_ strip: Strip, rows: Range<Int>) {
    for row in rows where !putStart(strip, row: row, rowCount: 1) {
      (c + row * cStride + strip.start).update(repeating: 0, count: strip.count)
    }
  }
}

extension MatrixPointer {
  /// Copies some rows of a strip to [row][strip.width], with zeros in missing columns.
  func pack(_ strip: Strip, rows: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    let source = pointer + rows.lowerBound * rowStride + strip.start * columnStride
    if !strip.isWhole { target.update(repeating: 0, count: rows.count * strip.width) }
    if columnStride == 1 {
      for row in 0..<rows.count {
        Rows.copyRow(source + row * rowStride, to: target + row * strip.width, strip.count)
      }
    } else {
      verify(rowStride == 1, "the matrix or its transpose must be row-major")
      Transposition.transpose(
        source, stride: columnStride, rows: strip.count, columns: rows.count, into: target, targetStride: strip.width)
    }
  }
}
