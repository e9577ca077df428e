import Kernels
import MicroKernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct RoundedProductTests {
  /// Sums in single precision of bfloat16 numbers: see `RoundedConvolutionTests`.
  static let tolerance = 2e-6

  struct Shape: Sendable {
    let rows: Int
    let columns: Int
    let depth: Int
  }
  /// Partial tiles, strips of both widths, and more terms or rows than a block has.
  static let shapes = [
    Shape(rows: 1, columns: 1, depth: 1), Shape(rows: 3, columns: 20, depth: 33),
    Shape(rows: 16, columns: 32, depth: 64),
    Shape(rows: 100, columns: 49, depth: 70), Shape(rows: 40, columns: 17, depth: 5000),
    Shape(rows: 700, columns: 5, depth: 600),
  ]

  @Test(arguments: shapes)
  func productsEqualTheDefinition(shape: Shape) {
    let bias = normalTensor([shape.columns], seed: 3)
    let addend = normalTensor([shape.rows, shape.columns], seed: 4)
    for (transposingA, transposingB) in [(false, false), (true, false), (false, true), (true, true)] {
      let operands = Operands(shape, transposingA: transposingA, transposingB: transposingB)
      let product = Reference.matrixProduct(
        operands.a.elements, operands.b.elements, rows: shape.rows, inner: shape.depth, columns: shape.columns,
        transposeA: transposingA, transposeB: transposingB)
      let plain = operands.product()
      #expect(relativeError(plain, product) < Self.tolerance)
      let expected = plain.indices.map { plain[$0] + bias.pointer[$0 % shape.columns] + addend.pointer[$0] }
      for pool in TestData.pools {
        #expect(TestData.sameBits(operands.product(pool: pool), plain))
        #expect(TestData.sameBits(operands.product(bias: bias, addend: addend, pool: pool), expected))
      }
      for products in RoundedKernel.testable {
        #expect(TestData.sameBits(operands.product(products), plain), "\(products.name)")
      }
      let sum = addend.copied()
      RoundedProduct().multiply(
        [operands.left], operands.right, into: Matrix(sum), bias: bias, addend: Matrix(sum), workers: .callingThread)
      #expect(TestData.sameBits(sum.elements, expected))
    }
  }

  @Test(arguments: [false, true]) func partsAreJoined(transposing: Bool) {
    let shape = Shape(rows: 37, columns: 20, depth: 2100)
    let operands = Operands(shape, transposingA: transposing, transposingB: false)
    let cuts = [0, 1, 50, 2080, 2100]
    let c = Tensor(repeating: .nan, shape: [shape.rows, shape.columns])
    RoundedProduct().multiply(
      zip(cuts, cuts.dropFirst()).map { operands.left.columns($0..<$1) }, operands.right, into: Matrix(c),
      workers: TestData.pools[1])
    #expect(TestData.sameBits(c.elements, operands.product()))
  }

  @Test func anElementDependsOnlyOnItsRowAndColumn() {
    let shape = Shape(rows: 40, columns: 50, depth: 2500)
    let operands = Operands(shape, transposingA: false, transposingB: false)
    let whole = operands.product()
    let c = Tensor(repeating: .nan, shape: [3, 11])
    RoundedProduct().multiply(
      [operands.left.rows(21..<24)], operands.right.columns(35..<46), into: Matrix(c), workers: TestData.pools[2])
    for row in 0..<3 {
      let first = (21 + row) * shape.columns + 35
      #expect(TestData.sameBits(Array(c.elements[row * 11..<(row + 1) * 11]), Array(whole[first..<first + 11])))
    }
  }

  @Test func aProductWithoutTermsIsTheAddend() {
    let bias = normalTensor([20], seed: 3)
    let c = Tensor(repeating: .nan, shape: [3, 20])
    RoundedProduct().multiply(
      [Matrix(Tensor(shape: [3, 0]))], Matrix(Tensor(shape: [0, 20])), into: Matrix(c), bias: bias,
      workers: TestData.pools[1])
    #expect(c.elements == bias.elements + bias.elements + bias.elements)
  }
}

/// Random bfloat16 numbers.
private struct Operands {
  let a: Tensor
  let b: Tensor
  let left: Matrix
  let right: Matrix

  init(_ shape: RoundedProductTests.Shape, transposingA: Bool, transposingB: Bool) {
    func operand(_ shape: [Int], seed: UInt64) -> Tensor {
      let normals = normalTensor(shape, seed: seed)
      let halves = TypedTensor<UInt16>(uninitialised: shape)
      BFloat16.round(normals, into: halves)
      BFloat16.widen(halves, into: normals)
      return normals
    }
    a = operand(transposingA ? [shape.depth, shape.rows] : [shape.rows, shape.depth], seed: 1)
    b = operand(transposingB ? [shape.columns, shape.depth] : [shape.depth, shape.columns], seed: 2)
    left = transposingA ? Matrix(a).transposed : Matrix(a)
    right = transposingB ? Matrix(b).transposed : Matrix(b)
  }

  func product(
    _ products: RoundedKernel = .best, bias: Tensor? = nil, addend: Tensor? = nil, pool: WorkerPool = TestData.pools[0]
  ) -> [Float] {
    let c = Tensor(repeating: .nan, shape: [left.rows, right.columns])
    RoundedProduct(products: products).multiply(
      [left], right, into: Matrix(c), bias: bias, addend: addend.map { Matrix($0) }, workers: pool)
    return c.elements
  }
}
