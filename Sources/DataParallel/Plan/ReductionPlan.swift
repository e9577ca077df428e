/// The communication pattern by which every rank gets the sums of the pieces that it owns, in the order of the tree, in
/// levels from the micro-batches' gradients to their owners.
///
/// On the first level, the ranks of a node exchange sections of a bucket, and each adds up its section as far as the
/// tree allows; on the second, the ranks of one slot on all nodes exchange pieces of their section. A level without
/// other ranks costs nothing: with one rank per node, or one node, there is a single stage.
package struct ReductionPlan: Sendable {
  /// One level, as one rank sees it.
  package struct Level: Sendable {
    /// The participating ranks, this one included, from left to right in the tree.
    package let peers: [Int]
    /// This rank's index among `peers`.
    package let own: Int
    /// The indices of each peer's sums among all sums.
    package let sums: [Range<Int>]
    /// The additions to perform, by indices among all sums.
    package let additions: [MicroBatchTree.Addition]
    /// The indices of the resulting sums, from left to right.
    package let results: [Int]

    /// The number of incoming sums, including those of this rank.
    package var sumCount: Int { sums.last?.upperBound ?? 0 }

    /// The indices of this rank's sums among all sums.
    package var ownSums: Range<Int> { sums[own] }

    init(peers: [Int], own: Int, nodes: [[MicroBatchTree.Node]], tree: MicroBatchTree) {
      self.peers = peers
      self.own = own
      var end = 0
      sums = nodes.map { nodes in
        end += nodes.count
        return end - nodes.count..<end
      }
      let merged = tree.merging(nodes.flatMap(\.self))
      additions = merged.additions
      results = merged.sums.map(\.index)
    }
  }

  package let sharding: Sharding
  /// First within the node, then between nodes.
  package let levels: [Level]

  /// - Parameter tree: the tree, whose micro-batches are shared out by `leafRanges`.
  package init(tree: MicroBatchTree, sharding: Sharding, rank: Int) {
    let grid = sharding.grid
    let subtrees = tree.leafRanges(ofRanks: grid.rankCount).map { tree.maximalSubtrees(of: $0) }
    let (node, slot) = (grid.node(of: rank), grid.slot(of: rank))
    let nodeSums = (0..<grid.nodeCount).map { node in
      tree.merging(grid.ranks(ofNode: node).flatMap { subtrees[$0] }).sums.map(\.node)
    }
    let neighbours = grid.ranks(ofNode: node)
    self.sharding = sharding
    levels = [
      Level(peers: neighbours, own: slot, nodes: neighbours.map { subtrees[$0] }, tree: tree),
      Level(peers: grid.ranks(ofSlot: slot), own: node, nodes: nodeSums, tree: tree),
    ]
  }

  /// The part of a bucket that a peer of a level receives and adds up.
  /// - Parameter peer: an index among the level's peers.
  package func part(level: Int, bucket: Int, peer: Int) -> Range<Int> {
    level == 0
      ? sharding.section(bucket: bucket, slot: peer)
      : sharding.piece(bucket: bucket, rank: levels[1].peers[peer])
  }
}
