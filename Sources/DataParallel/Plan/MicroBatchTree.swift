/// The fixed order in which the gradients of a step's micro-batches are added, for any number of ranks.
///
/// A binary tree over M leaves: the complete tree of the next power of two, without the leaves from M on. A node of
/// level l covers leaves k·2ˡ ..< min(M, (k+1)·2ˡ); a node with only one child is identical to that child. Every rank
/// adds up the maximal subtrees of its own leaves, and the owner of a total adds those with `additions(of:)`. Since the
/// tree does not depend on how the leaves are shared out, neither do the bits of the result.
public struct MicroBatchTree: Sendable, Equatable {
  /// M, the number of micro-batches in a step.
  public let leafCount: Int

  /// A node of the tree, which covers the leaves `start` ..< `end`.
  public struct Node: Sendable, Hashable {
    public let start: Int
    public let end: Int

    public var leaves: Range<Int> { start..<end }
    public var count: Int { end - start }
    /// The smallest level l with 2ˡ ≥ count; leaves have level 0.
    public var level: Int { ceilingOfBinaryLogarithm(count) }
    /// The node's index in its level.
    public var index: Int { start >> level }

    fileprivate init(_ leaves: Range<Int>) {
      start = leaves.lowerBound
      end = leaves.upperBound
    }
  }

  /// One addition: the value at index `right` of a list is added to the value at index `left`, and is not needed
  /// afterwards.
  public struct Addition: Sendable, Equatable {
    public let left: Int
    public let right: Int
  }

  public init(leafCount: Int) {
    precondition(leafCount >= 1, "a tree needs at least one leaf")
    self.leafCount = leafCount
  }

  public var root: Node { Node(0..<leafCount) }

  public func leaf(_ index: Int) -> Node {
    precondition((0..<leafCount).contains(index), "there is no leaf \(index) among \(leafCount)")
    return Node(index..<index + 1)
  }

  /// The contiguous leaves of each of `rankCount` ranks, in the order of ranks; their numbers differ by at most one.
  public func leafRanges(ofRanks rankCount: Int) -> [Range<Int>] {
    precondition((1...leafCount).contains(rankCount), "\(leafCount) micro-batches are too few for \(rankCount) ranks")
    return (0..<rankCount).map { rank in
      rank * leafCount / rankCount..<(rank + 1) * leafCount / rankCount
    }
  }

  /// The minimal list of nodes that exactly covers consecutive leaves, from left to right: at most 2·log₂ M nodes, and
  /// a single one if both the number of micro-batches and of ranks are powers of two.
  public func maximalSubtrees(of leaves: Range<Int>) -> [Node] {
    precondition(leaves.lowerBound >= 0 && leaves.upperBound <= leafCount, "leaves \(leaves) are out of range")
    var nodes: [Node] = []
    var start = leaves.lowerBound
    while start < leaves.upperBound {
      var node = leaf(start)
      while let parent = parent(ofLeftChild: node), parent.end <= leaves.upperBound { node = parent }
      nodes.append(node)
      start = node.end
    }
    return nodes
  }

  /// The additions that turn the values of these nodes into the value of the root, which ends up at index 0.
  /// - Parameter nodes: nodes that cover all leaves, from left to right, such as the maximal subtrees of all ranks.
  public func additions(of nodes: [Node]) -> [Addition] {
    let (additions, sums) = merging(nodes)
    precondition(sums.count == 1 && sums[0].node == root, "the nodes do not cover the tree from left to right")
    return additions
  }

  /// The additions that merge the values of these nodes as far as possible, and the resulting nodes with their indices
  /// among `nodes`.
  /// - Parameter nodes: adjacent nodes, from left to right, such as the maximal subtrees of some ranks. The results are
  ///   the maximal subtrees of all their leaves.
  public func merging(_ nodes: [Node]) -> (additions: [Addition], sums: [(node: Node, index: Int)]) {
    var additions: [Addition] = []
    var open: [(node: Node, index: Int)] = []
    for (index, node) in nodes.enumerated() {
      open.append((node, index))
      while let parent = parentOfLastTwo(open.suffix(2).map(\.node)) {
        let right = open.removeLast()
        let left = open.removeLast()
        additions.append(Addition(left: left.index, right: right.index))
        open.append((parent, left.index))
      }
    }
    return (additions, open)
  }

  /// The parent of the last two nodes if they are its two children.
  func parentOfLastTwo(_ nodes: [Node]) -> Node? {
    guard nodes.count >= 2 else { return nil }
    let (left, right) = (nodes[nodes.count - 2], nodes[nodes.count - 1])
    guard left.end == right.start, let parent = parent(ofLeftChild: left), parent.end == right.end else { return nil }
    return parent
  }

  /// The node whose left child is this one; `nil` for a right child and for the root.
  private func parent(ofLeftChild node: Node) -> Node? {
    let span = 1 << node.level
    // A node that is cut short by the end of the leaves, or ends there, has nothing to its right.
    guard node.end < leafCount, node.count == span, node.start % (2 * span) == 0 else { return nil }
    return Node(node.start..<min(leafCount, node.start + 2 * span))
  }

  /// The number of leaves in a node's left child: the largest power of two below the node's number of leaves.
  static func leavesOfLeftChild(leafCount: Int) -> Int {
    1 << (ceilingOfBinaryLogarithm(leafCount) - 1)
  }
}

private func ceilingOfBinaryLogarithm(_ number: Int) -> Int {
  number <= 1 ? 0 : Int.bitWidth - (number - 1).leadingZeroBitCount
}

extension MicroBatchTree {
  /// The sum of numbers in the fixed binary tree with as many leaves: it depends only on the numbers and their order.
  /// The sum of no numbers is 0.
  public static func sum(_ numbers: [Double]) -> Double { sum(numbers[...]) }

  private static func sum(_ numbers: ArraySlice<Double>) -> Double {
    if numbers.count <= 1 { return numbers.first ?? 0 }
    let middle = numbers.startIndex + leavesOfLeftChild(leafCount: numbers.count)
    return sum(numbers[..<middle]) + sum(numbers[middle...])
  }
}
