import Kernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct PreciseProductTests {
  static let shapes = [
    (1, 1, 1), (5, 7, 3), (16, 40, 100), (64, 128, 32), (33, 49, 511), (40, 100, 1200), (213, 33, 20), (100, 217, 256),
  ]

  /// The reference adds the same exact products in the same order: the bits are equal.
  @Test(arguments: shapes)
  func productsHaveTheBitsOfTheDirectSums(rows: Int, columns: Int, depth: Int) {
    let start = TestData.normalDoubles(rows * columns, seed: 3)
    for (transposingA, transposingB) in [(false, false), (true, false), (false, true), (true, true)] {
      let (a, b) = (TestData.normals(rows * depth, seed: 1), TestData.normals(depth * columns, seed: 2))
      let expected = Reference.preciseProduct(
        a, b, addedTo: start, rows: rows, inner: depth, columns: columns, transposeA: transposingA,
        transposeB: transposingB)
      for pool in TestData.pools {
        var c = start
        add(a, b, &c, rows, columns, depth, transposingA, transposingB, pool)
        #expect(c == expected)
      }
    }
  }

  @Test(arguments: shapes)
  func elementsFromADiagonalOnHaveTheSameBits(rows: Int, columns: Int, depth: Int) {
    let (a, b) = (TestData.normals(rows * depth, seed: 1), TestData.normals(depth * columns, seed: 2))
    var whole = [Double](repeating: 0, count: rows * columns)
    add(a, b, &whole, rows, columns, depth, false, false, TestData.pools[0])
    for diagonal in [-5, 0, 1, 30] {
      for pool in TestData.pools {
        var some = [Double](repeating: 0, count: rows * columns)
        add(a, b, &some, rows, columns, depth, false, false, pool, diagonal: diagonal)
        for row in 0..<rows {
          for column in max(0, row + diagonal)..<max(columns, row + diagonal) where column < columns {
            #expect(some[row * columns + column] == whole[row * columns + column])
          }
        }
      }
    }
  }

  /// As for a running sum over images.
  @Test func aSumInPiecesEqualsTheWholeSum() {
    let (rows, columns, depth) = (20, 50, 700)
    let (a, b) = (TestData.normals(depth * rows, seed: 1), TestData.normals(depth * columns, seed: 2))
    var whole = [Double](repeating: 0, count: rows * columns)
    add(a, b, &whole, rows, columns, depth, true, false, TestData.pools[0])
    var pieces = [Double](repeating: 0, count: rows * columns)
    for (start, end) in [(0, 3), (3, 300), (300, 301), (301, 700)] {
      add(
        Array(a[start * rows..<end * rows]), Array(b[start * columns..<end * columns]), &pieces, rows, columns,
        end - start, true, false, TestData.pools[1])
    }
    #expect(pieces == whole)
  }

  private func add(
    _ a: [Float], _ b: [Float], _ c: inout [Double], _ rows: Int, _ columns: Int, _ depth: Int, _ transposingA: Bool,
    _ transposingB: Bool, _ pool: WorkerPool, diagonal: Int? = nil
  ) {
    let left = Matrix(Tensor(a, shape: transposingA ? [depth, rows] : [rows, depth]))
    let right = Matrix(Tensor(b, shape: transposingB ? [columns, depth] : [depth, columns]))
    let sums = TypedTensor(c, shape: [rows, columns])
    PreciseProduct.add(
      transposingA ? left.transposed : left, transposingB ? right.transposed : right, to: sums,
      fromDiagonal: diagonal, workers: pool)
    c = sums.elements
  }
}
