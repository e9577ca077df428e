/// The fixed order in which the gradients of a step's micro-batches are added, for any number of ranks.
///
/// A binary tree over M leaves: the complete tree of the next power of two, without the leaves from M on. A node of
/// level l covers leaves k·2ˡ ..< min(M, (k+1)·2ˡ); a node with only one child is identical to that child. Every rank
/// adds up the maximal subtrees of its own leaves, and the owner of a total adds those as `merging` says. Since the
/// tree does not depend on how the leaves are shared out, neither do the bits of the result.
package struct MicroBatchTree: Sendable, Equatable {
  /// M, the number of micro-batches in a step.
  package let leafCount: Int

  /// A node of the tree.
  package struct Node: Sendable, Hashable {
    /// The leaves that it covers.
    package let leaves: Range<Int>

    /// The smallest level l with 2ˡ leaves or more; leaves have level 0.
    package var level: Int { ceilingOfBinaryLogarithm(leaves.count) }
  }

  /// One addition: the value at index `right` of a list is added to the value at index `left`, and is not needed
  /// afterwards.
  package struct Addition: Sendable, Equatable {
    package let left: Int
    package let right: Int
  }

  package init(leafCount: Int) {
    precondition(leafCount >= 1, "a tree needs at least one leaf")
    self.leafCount = leafCount
  }

  package var root: Node { Node(leaves: 0..<leafCount) }

  package func leaf(_ index: Int) -> Node {
    precondition((0..<leafCount).contains(index), "there is no leaf \(index) among \(leafCount)")
    return Node(leaves: index..<index + 1)
  }

  /// The contiguous leaves of each of `rankCount` ranks, in the order of ranks; their numbers differ by at most one.
  package func leafRanges(ofRanks rankCount: Int) -> [Range<Int>] {
    precondition((1...leafCount).contains(rankCount), "\(leafCount) micro-batches are too few for \(rankCount) ranks")
    return (0..<rankCount).map { rank in
      rank * leafCount / rankCount..<(rank + 1) * leafCount / rankCount
    }
  }

  /// The minimal list of nodes that exactly covers consecutive leaves, from left to right: at most 2·log₂ M nodes, and
  /// a single one if both the number of micro-batches and of ranks are powers of two.
  package func maximalSubtrees(of leaves: Range<Int>) -> [Node] {
    precondition(leaves.lowerBound >= 0 && leaves.upperBound <= leafCount, "leaves \(leaves) are out of range")
    var nodes: [Node] = []
    var start = leaves.lowerBound
    while start < leaves.upperBound {
      var node = leaf(start)
      while let parent = parent(ofLeftChild: node), parent.leaves.upperBound <= leaves.upperBound { node = parent }
      nodes.append(node)
      start = node.leaves.upperBound
    }
    return nodes
  }

  /// The additions that merge the values of these nodes as far as possible, and the resulting nodes with their indices
  /// among `nodes`.
  /// - Parameter nodes: adjacent nodes, from left to right, such as the maximal subtrees of some ranks. The results are
  ///   the maximal subtrees of all their leaves; if they cover all leaves, the root at index 0.
  package func merging(_ nodes: [Node]) -> (additions: [Addition], sums: [(node: Node, index: Int)]) {
    var additions: [Addition] = []
    var open: [(node: Node, index: Int)] = []
    for (index, node) in nodes.enumerated() {
      open.append((node, index))
      while let right = open.last, let left = open.dropLast().last, let parent = parent(of: left.node, right.node) {
        open.removeLast(2)
        additions.append(Addition(left: left.index, right: right.index))
        open.append((parent, left.index))
      }
    }
    return (additions, open)
  }

  /// The parent of two adjacent nodes if they are its two children.
  private func parent(of left: Node, _ right: Node) -> Node? {
    guard let parent = parent(ofLeftChild: left), left.leaves.upperBound == right.leaves.lowerBound,
      parent.leaves.upperBound == right.leaves.upperBound
    else { return nil }
    return parent
  }

  /// The node whose left child is this one; `nil` for a right child and for the root.
  private func parent(ofLeftChild node: Node) -> Node? {
    let (leaves, span) = (node.leaves, 1 << node.level)
    // A node that is cut short by the end of the leaves, or ends there, has nothing to its right.
    guard leaves.upperBound < leafCount, leaves.count == span, leaves.lowerBound % (2 * span) == 0 else { return nil }
    return Node(leaves: leaves.lowerBound..<min(leafCount, leaves.lowerBound + 2 * span))
  }
}

private func ceilingOfBinaryLogarithm(_ number: Int) -> Int {
  number <= 1 ? 0 : Int.bitWidth - (number - 1).leadingZeroBitCount
}

extension MicroBatchTree {
  /// The sum of numbers in the fixed binary tree with as many leaves: it depends only on the numbers and their order.
  /// The sum of no numbers is 0.
  package static func sum(_ numbers: [Double]) -> Double { sum(numbers[...]) }

  private static func sum(_ numbers: ArraySlice<Double>) -> Double {
    if numbers.count <= 1 { return numbers.first ?? 0 }
    // The left child has the largest power of two below the number of leaves.
    let middle = numbers.startIndex + (1 << (ceilingOfBinaryLogarithm(numbers.count) - 1))
    return sum(numbers[..<middle]) + sum(numbers[middle...])
  }
}
