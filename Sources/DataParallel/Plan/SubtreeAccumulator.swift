/// Says, leaf by leaf, how one rank adds up its leaves into the maximal subtrees among them.
///
/// Two finished siblings are added at once, so that few buffers are alive: at most one for each maximal subtree of the
/// leaves so far, and the newest. A leaf whose left sibling is finished gets no buffer of its own: whoever makes it adds
/// it to the sibling's, element by element, with the same rounding. What a buffer is and how two are added is the
/// caller's business; the caller may do it in parts, as parts of the leaf become final.
public struct SubtreeAccumulator<Buffer> {
  public let tree: MicroBatchTree
  /// The rank's leaves.
  public let leaves: Range<Int>
  /// What they become, from left to right.
  public let subtrees: [MicroBatchTree.Node]
  /// The subtrees of the leaves so far and their sums, from left to right; once all leaves are in, they are `subtrees`.
  public private(set) var sums: [(node: MicroBatchTree.Node, buffer: Buffer)] = []
  private var nextLeaf: Int

  /// A leaf under way.
  public struct Leaf {
    /// Where to add the leaf's elements: to zeros in a fresh buffer, or to the sum of its left sibling.
    public let buffer: Buffer
    /// The additions, in order, that make a subtree's sum of it: the right buffer's elements to the left one's. The
    /// right ones are free afterwards.
    public let additions: [(right: Buffer, left: Buffer)]
    /// Where that sum is then.
    public let sum: Buffer
    /// The index among `subtrees`, if nothing more will be added to the sum.
    public let finalIndex: Int?
    fileprivate let sums: [(node: MicroBatchTree.Node, buffer: Buffer)]
  }

  /// - Parameter leaves: the rank's.
  public init(tree: MicroBatchTree, leaves: Range<Int>) {
    self.tree = tree
    self.leaves = leaves
    subtrees = tree.maximalSubtrees(of: leaves)
    nextLeaf = leaves.lowerBound
  }

  /// Whether all leaves are in.
  public var isComplete: Bool { nextLeaf == leaves.upperBound }

  /// The next leaf. To be handed to `finish` when its elements and all its additions were made.
  /// - Parameter fresh: gives a buffer of zeros.
  public func start(fresh: () -> Buffer) -> Leaf {
    precondition(!isComplete, "all leaves \(leaves) are in already")
    let node = tree.leaf(nextLeaf)
    var sums = sums
    let buffer: Buffer
    if let sibling = sums.last, let parent = tree.parentOfLastTwo([sibling.node, node]) {
      buffer = sibling.buffer
      sums[sums.count - 1].node = parent
    } else {
      buffer = fresh()
      sums.append((node, buffer))
    }
    var additions: [(right: Buffer, left: Buffer)] = []
    while let parent = tree.parentOfLastTwo(sums.suffix(2).map(\.node)) {
      let right = sums.removeLast()
      let left = sums.removeLast()
      additions.append((right.buffer, left.buffer))
      sums.append((parent, left.buffer))
    }
    let last = sums[sums.count - 1]
    return Leaf(
      buffer: buffer, additions: additions, sum: last.buffer, finalIndex: subtrees.firstIndex(of: last.node),
      sums: sums)
  }

  /// Counts a leaf as done.
  public mutating func finish(_ leaf: Leaf) {
    sums = leaf.sums
    nextLeaf += 1
  }
}
