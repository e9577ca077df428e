/// Adds up one rank's leaves as they come, into the maximal subtrees of its run.
///
/// Two finished siblings are added at once, so that few buffers are alive: at most one for each maximal subtree of the
/// leaves so far, and the newest. A leaf whose left sibling is finished needs no buffer of its own: whoever makes it may
/// add it to the sibling's, element by element, with the same rounding. What a buffer is and how two are added is the
/// caller's business.
public struct SubtreeAccumulator<Buffer> {
  public let tree: MicroBatchTree
  public let run: Range<Int>
  /// The subtrees of the leaves so far and their sums, from left to right; once all leaves are in, they are the
  /// maximal subtrees of the run.
  public private(set) var sums: [(node: MicroBatchTree.Node, buffer: Buffer)] = []
  private var nextLeaf: Int

  /// - Parameter run: the rank's leaves.
  public init(tree: MicroBatchTree, run: Range<Int>) {
    precondition(run.lowerBound >= 0 && run.upperBound <= tree.leafCount, "run \(run) leaves the tree")
    self.tree = tree
    self.run = run
    nextLeaf = run.lowerBound
  }

  /// Whether all leaves of the run are in.
  public var isComplete: Bool { nextLeaf == run.upperBound }

  /// The sum that is the next leaf's left sibling, if there is one yet.
  public var siblingOfNextLeaf: Buffer? {
    guard !isComplete, let last = sums.last, tree.parentOfLastTwo([last.node, tree.leaf(nextLeaf)]) != nil else {
      return nil
    }
    return last.buffer
  }

  /// Takes the next leaf's buffer and makes the additions that have become possible.
  /// - Parameter add: adds the elements of the right buffer to those of the left one.
  /// - Returns: buffers whose contents have been added to others and are free for new leaves.
  public mutating func append(
    _ buffer: Buffer, add: (_ right: Buffer, _ left: Buffer) throws -> Void
  ) rethrows -> [Buffer] {
    precondition(!isComplete, "all leaves of run \(run) are in already")
    sums.append((tree.leaf(nextLeaf), buffer))
    nextLeaf += 1
    return try addSiblings(add)
  }

  /// Takes the next leaf, whose elements were added to `siblingOfNextLeaf`; otherwise as `append`.
  public mutating func appendAddedToSibling(
    add: (_ right: Buffer, _ left: Buffer) throws -> Void
  ) rethrows -> [Buffer] {
    precondition(siblingOfNextLeaf != nil, "leaf \(nextLeaf) has no sibling yet")
    let last = sums.count - 1
    sums[last].node = tree.parentOfLastTwo([sums[last].node, tree.leaf(nextLeaf)])!
    nextLeaf += 1
    return try addSiblings(add)
  }

  private mutating func addSiblings(_ add: (_ right: Buffer, _ left: Buffer) throws -> Void) rethrows -> [Buffer] {
    var free: [Buffer] = []
    while let parent = tree.parentOfLastTwo(sums.suffix(2).map(\.node)) {
      let right = sums.removeLast()
      let left = sums.removeLast()
      try add(right.buffer, left.buffer)
      sums.append((parent, left.buffer))
      free.append(right.buffer)
    }
    return free
  }
}
