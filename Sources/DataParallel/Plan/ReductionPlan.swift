import Tensors

/// Who sends what to whom so that every rank gets the sums of what it owns, in the order of the tree: the levels of the
/// way from the micro-batches' gradients to their owners.
///
/// On the first level the ranks of a node exchange sections of a bucket and add up, each in its section, what the tree
/// allows; on the second the ranks of one slot on all nodes exchange pieces of their section. A level without other
/// ranks costs nothing: with one rank per node, or one node, the way has a single stage.
public struct ReductionPlan: Sendable {
  /// One level, as one rank sees it.
  public struct Level: Sendable {
    /// The ranks that exchange, this one included, from left to right in the tree.
    public let peers: [Int]
    /// This rank's index among them.
    public let own: Int
    /// How many sums each of them brings.
    public let sumCounts: [Int]
    /// The index of each peer's first sum among all.
    public let firstSums: [Int]
    /// What to add then, by indices among all.
    public let additions: [MicroBatchTree.Addition]
    /// The indices of the sums that come out, from left to right.
    public let results: [Int]

    /// How many sums come in, those of this rank included.
    public var sumCount: Int { sumCounts.reduce(0, +) }

    /// The indices of this rank's sums among all.
    public var ownSums: Range<Int> { firstSums[own]..<firstSums[own] + sumCounts[own] }

    init(peers: [Int], own: Int, nodes: [[MicroBatchTree.Node]], tree: MicroBatchTree) {
      self.peers = peers
      self.own = own
      sumCounts = nodes.map(\.count)
      firstSums = nodes.indices.map { peer in nodes[..<peer].reduce(0) { $0 + $1.count } }
      let (additions, sums) = tree.merging(nodes.flatMap { $0 })
      self.additions = additions
      results = sums.map(\.index)
    }
  }

  public let sharding: Sharding
  public let rank: Int
  /// Inside the node, then between nodes.
  public let levels: [Level]

  /// - Parameter tree: its micro-batches are shared out by `leafRanges`.
  public init(tree: MicroBatchTree, sharding: Sharding, rank: Int) {
    let grid = sharding.grid
    let subtrees = tree.leafRanges(ofRanks: grid.rankCount).map { tree.maximalSubtrees(of: $0) }
    let (node, slot) = (grid.node(of: rank), grid.slot(of: rank))
    let nodeSums = (0..<grid.nodeCount).map { node in
      tree.merging(grid.ranks(ofNode: node).flatMap { subtrees[$0] }).sums.map(\.node)
    }
    let neighbours = grid.ranks(ofNode: node)
    self.sharding = sharding
    self.rank = rank
    levels = [
      Level(peers: neighbours, own: slot, nodes: neighbours.map { subtrees[$0] }, tree: tree),
      Level(peers: grid.ranks(ofSlot: slot), own: node, nodes: nodeSums, tree: tree),
    ]
  }

  /// What a peer of a level gets of a bucket, and adds up.
  /// - Parameter peer: an index among the level's peers.
  public func part(level: Int, bucket: Int, peer: Int) -> Range<Int> {
    level == 0
      ? sharding.section(bucket: bucket, slot: peer)
      : sharding.piece(bucket: bucket, rank: levels[1].peers[peer])
  }
}
