import Kernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct MatrixProductTests {
  /// Single-precision sums of up to 1200 products; errors of both signs add up like the root of their number.
  static let tolerance = 2e-6

  static let shapes = [
    (1, 1, 1), (5, 7, 3), (16, 40, 100), (64, 128, 32), (33, 49, 511), (40, 100, 1200), (513, 33, 20), (600, 17, 16),
  ]

  @Test(arguments: shapes)
  func productsEqualTheDirectSums(rows: Int, columns: Int, depth: Int) {
    let bias = normalTensor([columns], seed: 3)
    let addend = normalTensor([rows, columns], seed: 4)
    for (transposingA, transposingB) in [(false, false), (true, false), (false, true), (true, true)] {
      let (a, b) = operands(rows, columns, depth, transposingA, transposingB)
      let product = Reference.matrixProduct(
        a.elements, b.elements, rows: rows, inner: depth, columns: columns, transposeA: transposingA,
        transposeB: transposingB)
      for (addsBias, addsAddend) in [(false, false), (true, false), (false, true), (true, true)] {
        let expected = product.indices.map {
          product[$0] + (addsBias ? bias.pointer[$0 % columns] : 0) + (addsAddend ? addend.pointer[$0] : 0)
        }
        for pool in TestData.pools {
          let c = TestData.written(rows * columns) {
            MatrixProduct.multiply(
              view(a, transposingA), view(b, transposingB), into: $0, rows: rows, columns: columns, depth: depth,
              bias: addsBias ? bias.pointer : nil, addend: addsAddend ? addend.pointer : nil, workers: pool)
          }
          #expect(relativeError(c, expected) < Self.tolerance)
        }
      }
      let sum = addend.copied()
      MatrixProduct.multiply(
        view(a, transposingA), view(b, transposingB), into: sum.pointer, rows: rows, columns: columns, depth: depth,
        addend: sum.pointer, workers: .callingThread)
      #expect(relativeError(sum.elements, zip(product, addend.elements).map(+)) < Self.tolerance)
    }
  }

  @Test(arguments: shapes)
  func anElementDependsOnItsRowAndColumnAlone(rows: Int, columns: Int, depth: Int) {
    let (a, b) = operands(rows, columns, depth, false, false)
    let bias = normalTensor([columns], seed: 3)
    func product(_ rows: Range<Int>, columns part: Range<Int>, _ pool: WorkerPool) -> [Float] {
      let c = Tensor(uninitialised: [rows.count, part.count])
      MatrixProduct.multiply(
        MatrixView(a.pointer + rows.lowerBound * depth, rowStride: depth),
        MatrixView(b.pointer + part.lowerBound, rowStride: columns), into: c.pointer, rows: rows.count,
        columns: part.count, depth: depth, bias: bias.pointer + part.lowerBound, workers: pool)
      return c.elements
    }
    let whole = product(0..<rows, columns: 0..<columns, TestData.pools[0])
    for pool in TestData.pools[1...] { #expect(product(0..<rows, columns: 0..<columns, pool) == whole) }
    for row in [0, rows / 2, rows - 1] {
      let alone = product(row..<row + 1, columns: 0..<columns, TestData.pools[0])
      #expect(alone == Array(whole[row * columns..<(row + 1) * columns]))
    }
    let part = columns / 3..<columns
    let some = product(0..<rows, columns: part, TestData.pools[1])
    for row in 0..<rows {
      let expected = whole[row * columns + part.lowerBound..<(row + 1) * columns]
      #expect(Array(some[row * part.count..<(row + 1) * part.count]) == Array(expected))
    }
  }

  @Test(arguments: shapes)
  func aResultMayBePartOfLongerRows(rows: Int, columns: Int, depth: Int) {
    let (a, b) = operands(rows, columns, depth, false, true)
    let stride = columns + 5
    let addend = normalTensor([rows, stride], seed: 4)
    func product(into c: Tensor, stride: Int?, addend: UnsafePointer<Float>?, _ pool: WorkerPool) -> [Float] {
      MatrixProduct.multiply(
        view(a, false), view(b, true), into: c.pointer, cStride: stride, rows: rows, columns: columns, depth: depth,
        addend: addend, workers: pool)
      return c.elements
    }
    func part(_ values: [Float]) -> [Float] { values.indices.filter { $0 % stride < columns }.map { values[$0] } }
    for adds in [false, true] {
      let compact = Tensor(part(addend.elements), shape: [rows, columns])
      let expected = product(
        into: compact, stride: nil, addend: adds ? UnsafePointer(compact.pointer) : nil, TestData.pools[0])
      for pool in TestData.pools {
        let c = addend.copied()
        let result = product(into: c, stride: stride, addend: adds ? UnsafePointer(c.pointer) : nil, pool)
        #expect(TestData.sameBits(part(result), expected))
        #expect(result.indices.allSatisfy { $0 % stride < columns || result[$0] == addend.elements[$0] })
      }
    }
  }

  @Test func aProductOfNothingIsTheAddend() {
    let bias = normalTensor([20], seed: 3)
    let c = TestData.written(60) {
      MatrixProduct.multiply(
        MatrixView(bias.pointer, rowStride: 0), MatrixView(bias.pointer, rowStride: 20), into: $0, rows: 3,
        columns: 20, depth: 0, bias: bias.pointer, workers: TestData.pools[1])
    }
    #expect(c == bias.elements + bias.elements + bias.elements)
  }

  private func operands(
    _ rows: Int, _ columns: Int, _ depth: Int, _ transposingA: Bool, _ transposingB: Bool
  ) -> (a: Tensor, b: Tensor) {
    (
      normalTensor(transposingA ? [depth, rows] : [rows, depth], seed: 1),
      normalTensor(transposingB ? [columns, depth] : [depth, columns], seed: 2)
    )
  }

  private func view(_ matrix: Tensor, _ transposes: Bool) -> MatrixView {
    let view = MatrixView(matrix.pointer, rowStride: matrix.shape[1])
    return transposes ? view.transposed : view
  }
}
