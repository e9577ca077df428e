/// Determines, leaf by leaf, how one rank adds up its leaves into their maximal subtrees.
///
/// Two finished siblings are added at once, so that few buffers are alive: at most one for each maximal subtree of the
/// leaves so far, and the newest. A leaf whose left sibling is finished gets no buffer of its own: the caller adds it
/// to the sibling's, element by element, with the same rounding. The caller defines what a buffer is and how two are
/// added; it may add them in parts, as parts of the leaf become final.
package struct SubtreeAccumulator<Buffer> {
  package let tree: MicroBatchTree
  /// The rank's leaves.
  package let leaves: Range<Int>
  /// The maximal subtrees of the leaves, from left to right.
  package let subtrees: [MicroBatchTree.Node]
  /// The subtrees of the leaves so far and their sums, from left to right; once the last leaf is finished, they are
  /// `subtrees`.
  package private(set) var sums: [(node: MicroBatchTree.Node, buffer: Buffer)] = []
  private var nextLeaf: Int

  /// A leaf in progress.
  package struct Leaf {
    /// The buffer to which the leaf's elements are added: a buffer of zeros, or the sum of its left sibling.
    package let buffer: Buffer
    /// The additions, in order, that turn the leaf into a subtree's sum: the right buffer's elements are added to the
    /// left one's. The right buffers are free afterwards.
    package let additions: [(right: Buffer, left: Buffer)]
    /// The buffer that then contains the sum.
    package let sum: Buffer
    /// The index among `subtrees`, if the sum is complete.
    package let finalIndex: Int?
    fileprivate let sums: [(node: MicroBatchTree.Node, buffer: Buffer)]
  }

  /// - Parameter leaves: the rank's leaves.
  package init(tree: MicroBatchTree, leaves: Range<Int>) {
    self.tree = tree
    self.leaves = leaves
    subtrees = tree.maximalSubtrees(of: leaves)
    nextLeaf = leaves.lowerBound
  }

  /// Whether all leaves are finished.
  package var isComplete: Bool { nextLeaf == leaves.upperBound }

  /// The next leaf. Pass it to `finish` when its elements have been computed and all its additions performed.
  /// - Parameter fresh: returns a buffer of zeros.
  package func start(fresh: () -> Buffer) -> Leaf {
    precondition(!isComplete, "all leaves \(leaves) are already finished")
    let (additions, merged) = tree.merging(sums.map(\.node) + [tree.leaf(nextLeaf)])
    // The first addition is that of the leaf to its left sibling, which is the newest sum.
    let buffer = additions.isEmpty ? fresh() : sums[sums.count - 1].buffer
    let buffers = sums.map(\.buffer) + [buffer]
    let last = merged[merged.count - 1]
    return Leaf(
      buffer: buffer, additions: additions.dropFirst().map { (right: buffers[$0.right], left: buffers[$0.left]) },
      sum: buffers[last.index], finalIndex: subtrees.firstIndex(of: last.node),
      sums: merged.map { (node: $0.node, buffer: buffers[$0.index]) })
  }

  /// Marks a leaf as finished.
  package mutating func finish(_ leaf: Leaf) {
    sums = leaf.sums
    nextLeaf += 1
  }
}

extension SubtreeAccumulator<Int> {
  /// The number of buffers that adding up these leaves takes, if released ones are used again.
  package static func bufferCount(tree: MicroBatchTree, leaves: Range<Int>) -> Int {
    var accumulator = SubtreeAccumulator(tree: tree, leaves: leaves)
    var (idle, count): ([Int], Int) = ([], 0)
    while !accumulator.isComplete {
      let leaf = accumulator.start {
        if let released = idle.popLast() { return released }
        defer { count += 1 }
        return count
      }
      accumulator.finish(leaf)
      idle += leaf.additions.map(\.right)
    }
    return count
  }
}
