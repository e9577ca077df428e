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
          product[$0] + (addsBias ? bias[$0 % columns] : 0) + (addsAddend ? addend[$0] : 0)
        }
        for pool in TestData.pools {
          let c = Tensor(repeating: .nan, shape: [rows, columns])
          MatrixProduct.multiply(
            matrix(a, transposingA), matrix(b, transposingB), into: Matrix(c), bias: addsBias ? bias : nil,
            addend: addsAddend ? Matrix(addend) : nil, workers: pool)
          #expect(relativeError(c.elements, expected) < Self.tolerance)
        }
      }
      let sum = addend.copied()
      MatrixProduct.multiply(
        matrix(a, transposingA), matrix(b, transposingB), into: Matrix(sum), addend: Matrix(sum),
        workers: .callingThread)
      #expect(relativeError(sum.elements, zip(product, addend.elements).map(+)) < Self.tolerance)
    }
  }

  @Test(arguments: shapes)
  func anElementDependsOnlyOnItsRowAndColumn(rows: Int, columns: Int, depth: Int) {
    let (a, b) = operands(rows, columns, depth, false, false)
    let bias = normalTensor([columns], seed: 3)
    func product(_ rows: Range<Int>, columns part: Range<Int>, _ pool: WorkerPool) -> [Float] {
      let c = Tensor(uninitialised: [rows.count, part.count])
      MatrixProduct.multiply(
        Matrix(a[rows]), Matrix(b).columns(part), into: Matrix(c), bias: bias[part], workers: pool)
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
    func product(into c: Tensor, adds: Bool, _ pool: WorkerPool) -> [Float] {
      let part = Matrix(c).columns(0..<columns)
      MatrixProduct.multiply(
        matrix(a, false), matrix(b, true), into: part, addend: adds ? part : nil, workers: pool)
      return c.elements
    }
    func part(_ values: [Float]) -> [Float] { values.indices.filter { $0 % stride < columns }.map { values[$0] } }
    for adds in [false, true] {
      let compact = Tensor(part(addend.elements), shape: [rows, columns])
      let expected = product(into: compact, adds: adds, TestData.pools[0])
      for pool in TestData.pools {
        let c = addend.copied()
        let result = product(into: c, adds: adds, pool)
        #expect(TestData.sameBits(part(result), expected))
        #expect(result.indices.allSatisfy { $0 % stride < columns || result[$0] == addend.elements[$0] })
      }
    }
  }

  @Test func aProductWithoutTermsIsTheAddend() {
    let bias = normalTensor([20], seed: 3)
    let c = Tensor(repeating: .nan, shape: [3, 20])
    MatrixProduct.multiply(
      Matrix(Tensor(shape: [3, 0])), Matrix(Tensor(shape: [0, 20])), into: Matrix(c), bias: bias,
      workers: TestData.pools[1])
    #expect(c.elements == bias.elements + bias.elements + bias.elements)
  }

  private func operands(
    _ rows: Int, _ columns: Int, _ depth: Int, _ transposingA: Bool, _ transposingB: Bool
  ) -> (a: Tensor, b: Tensor) {
    (
      normalTensor(transposingA ? [depth, rows] : [rows, depth], seed: 1),
      normalTensor(transposingB ? [columns, depth] : [depth, columns], seed: 2)
    )
  }

  private func matrix(_ tensor: Tensor, _ transposes: Bool) -> Matrix {
    transposes ? Matrix(tensor).transposed : Matrix(tensor)
  }
}
