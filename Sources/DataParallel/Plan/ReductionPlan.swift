import Tensors

/// The communication pattern by which every rank gets the sums of the pieces that it owns, in the order of the tree, in
/// levels from the micro-batches' gradients to their owners.
///
/// On the first level, the ranks of a node exchange sections of a bucket, and each adds up its section as far as the
/// tree allows; on the second, the ranks of one slot on all nodes exchange pieces of their section. A level without
/// other ranks costs nothing: with one rank per node, or one node, there is a single stage.
public struct ReductionPlan: Sendable {
  /// One level, as one rank sees it.
  public struct Level: Sendable {
    /// The participating ranks, this one included, from left to right in the tree.
    public let peers: [Int]
    /// This rank's index among `peers`.
    public let own: Int
    /// The number of sums of each peer.
    public let sumCounts: [Int]
    /// The index of each peer's first sum among all sums.
    public let firstSums: [Int]
    /// The additions to perform, by indices among all sums.
    public let additions: [MicroBatchTree.Addition]
    /// The indices of the resulting sums, from left to right.
    public let results: [Int]

    /// The number of incoming sums, including those of this rank.
    public var sumCount: Int { sumCounts.reduce(0, +) }

    /// The indices of this rank's sums among all sums.
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
  /// First within the node, then between nodes.
  public let levels: [Level]

  /// - Parameter tree: the tree, whose micro-batches are shared out by `leafRanges`.
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

  /// The part of a bucket that a peer of a level receives and adds up.
  /// - Parameter peer: an index among the level's peers.
  public func part(level: Int, bucket: Int, peer: Int) -> Range<Int> {
    level == 0
      ? sharding.section(bucket: bucket, slot: peer)
      : sharding.piece(bucket: bucket, rank: levels[1].peers[peer])
  }
}
