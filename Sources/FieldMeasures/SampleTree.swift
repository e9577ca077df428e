/// Rows of numbers, one for each sample, combined along a binary tree over the samples: the result depends only on the
/// samples and their order, not on the batches in which they come or the ranks that have them.
///
/// A node of level l and index i covers the samples i·2ˡ ..< (i + 1)·2ˡ; the row of a complete node is that of its left
/// child combined with that of its right one. Only the rows of maximal complete nodes are kept, so memory grows with the
/// logarithm of the number of samples. Sums along a tree also round less than sums in order.
package struct SampleTree: Sendable {
  /// Combines the rows of two consecutive ranges of samples.
  package typealias Combination = @Sendable (_ left: [Double], _ right: [Double]) -> [Double]

  struct Node: Sendable {
    let level: Int
    let index: Int
    let row: [Double]
  }

  /// The numbers in a row.
  package let width: Int
  let combine: Combination
  /// From left to right.
  private(set) var nodes: [Node] = []
  /// The index of the next sample.
  package private(set) var nextSample: Int

  /// - Parameters:
  ///   - firstSample: the index of the first sample that will be added here, among all samples.
  ///   - combine: by default the sum, number by number.
  package init(width: Int, firstSample: Int = 0, combine: @escaping Combination = Self.sum) {
    precondition(width >= 0 && firstSample >= 0, "a row of \(width) numbers, sample \(firstSample)")
    self.width = width
    self.combine = combine
    nextSample = firstSample
  }

  /// The sum, number by number.
  package static let sum: Combination = { left, right in zip(left, right).map { $0 + $1 } }

  /// The number of samples so far.
  package var count: Int { nodes.reduce(0) { $0 + 1 << $1.level } }

  /// Adds the row of the next sample.
  package mutating func add(_ row: [Double]) { append(Node(level: 0, index: nextSample, row: row)) }

  /// Appends the node of the next samples, and combines siblings as long as there are any.
  mutating func append(_ node: Node) {
    precondition(node.row.count == width, "a row of \(node.row.count) numbers, not \(width)")
    precondition(node.index << node.level == nextSample, "sample \(nextSample) comes next")
    nextSample = (node.index + 1) << node.level
    var node = node
    while let left = nodes.last, left.level == node.level, left.index + 1 == node.index, left.index.isMultiple(of: 2) {
      nodes.removeLast()
      node = Node(level: node.level + 1, index: left.index / 2, row: combine(left.row, node.row))
    }
    nodes.append(node)
  }

  /// The row of all samples, which must begin with sample 0; nil if there are none.
  package var total: [Double]? {
    guard let last = nodes.last else { return nil }
    precondition(nextSample == count, "the samples before \(nextSample - count) are missing")
    // A node without a right child is that of its left child.
    return nodes.dropLast().reversed().reduce(last.row) { right, node in combine(node.row, right) }
  }
}
