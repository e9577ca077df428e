import Kernels
import Tensors

/// Inner products x·y of features in double precision, in blocks of pairs. Each is the sum of exact products in the
/// order of the features' elements, whatever other pairs are in the block.
struct InnerProducts {
  /// Images of the first side.
  let rows: Range<Int>
  /// Images of the second side.
  let columns: Range<Int>
  private let products: TypedTensor<Double>

  /// x·y of images `row` and `column`.
  @inline(__always)
  subscript(row: Int, column: Int) -> Double {
    products[(row - rows.lowerBound) * columns.count + column - columns.lowerBound]
  }

  /// Large enough that copying rows costs little compared to multiplying them; 16 MiB of products.
  private static let blockRows = 1024
  private static let blockColumns = 2048

  /// Calls `body` for blocks that cover all pairs, from left to right and from top to bottom.
  ///
  /// - Parameter aboveDiagonal: skips blocks without a pair with column > row; other elements of a block are undefined.
  static func forEachBlock(
    _ first: Features, _ second: Features, aboveDiagonal: Bool = false, workers: WorkerPool,
    _ body: (InnerProducts) -> Void
  ) {
    let capacity = min(blockRows, first.count) * min(blockColumns, second.count)
    let block = Buffer<Double>(count: capacity)
    for row in stride(from: 0, to: first.count, by: blockRows) {
      let rows = row..<min(row + blockRows, first.count)
      for column in stride(from: 0, to: second.count, by: blockColumns) {
        let columns = column..<min(column + blockColumns, second.count)
        if aboveDiagonal && columns.upperBound - 1 <= row { continue }
        let products = TypedTensor(shape: [rows.count, columns.count], buffer: block)
        products.fill(0)
        PreciseProduct.add(
          Matrix(first.tensor[rows]), Matrix(second.tensor[columns]).transposed, to: products,
          fromDiagonal: aboveDiagonal ? row + 1 - column : nil, workers: workers)
        body(InnerProducts(rows: rows, columns: columns, products: products))
      }
    }
  }
}

extension WorkerPool {
  /// Calls `body` on several threads with consecutive parts of a range, each of at most `grain` indices.
  func forEachRange(in range: Range<Int>, grain: Int, _ body: (Range<Int>) -> Void) {
    forEachRange(range.count, grain: grain) { body($0.moved(by: range.lowerBound)) }
  }
}

extension Range<Int> {
  func moved(by distance: Int) -> Range<Int> { lowerBound + distance..<upperBound + distance }

  /// The part above an index; empty if there is none.
  @inline(__always)
  func above(_ index: Int) -> Range<Int> { clamped(to: index + 1..<Int.max) }
}
