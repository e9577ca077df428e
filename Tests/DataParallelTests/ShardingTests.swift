import DataParallel
import Ranks
import Tensors
import Testing

private let block = ParameterLayout.blockSize

/// Grids with their ranks in one row, in one column, and in between.
private let grids: [(nodes: Int, slots: Int)] = [
  (1, 1), (1, 2), (2, 1), (3, 1), (1, 5), (2, 2), (2, 3), (4, 2), (8, 1), (16, 64), (64, 16), (1, 100),
]

@Suite struct ShardingTests {
  @Test(arguments: grids, [1, 3, 63, 64, 200, 8723])
  func everyBlockBelongsToOneRank(grid: (nodes: Int, slots: Int), blocks: Int) {
    let grid = RankGrid(nodes: grid.nodes, slots: grid.slots)
    let sharding = Sharding(arenaCount: blocks * block, grid: grid)
    var owners = [Int](repeating: 0, count: blocks)
    for rank in 0..<grid.rankCount {
      var offset = 0
      for piece in sharding.pieces(ofRank: rank) {
        #expect(piece.offset == offset && !piece.range.isEmpty)
        #expect(piece.range.lowerBound % block == 0 && piece.range.upperBound % block == 0)
        for place in piece.range.lowerBound / block..<piece.range.upperBound / block { owners[place] += 1 }
        offset += piece.range.count
      }
      #expect(offset == sharding.count(ofRank: rank))
    }
    #expect(owners.allSatisfy { $0 == 1 })
  }

  @Test(arguments: grids, [64, 8723])
  func ranksOwnEqualPartsOfEveryBucketExceptTheLast(grid: (nodes: Int, slots: Int), blocks: Int) {
    let grid = RankGrid(nodes: grid.nodes, slots: grid.slots)
    let sharding = Sharding(arenaCount: blocks * block, grid: grid)
    for bucket in sharding.buckets.indices {
      let counts = (0..<grid.rankCount).map { sharding.piece(bucket: bucket, rank: $0).count }
      let spread = counts.max()! - counts.min()!
      #expect(spread <= (bucket < sharding.buckets.count - 1 ? 0 : 2 * block))
      // The pieces of the ranks in one slot form one contiguous section.
      for slot in 0..<grid.slotCount {
        let section = sharding.section(bucket: bucket, slot: slot)
        #expect(grid.ranks(ofSlot: slot).flatMap { sharding.piece(bucket: bucket, rank: $0) } == Array(section))
      }
    }
  }

  @Test func bucketsOfARangeAreThoseThatOverlapIt() {
    let sharding = Sharding(arenaCount: 200 * block, grid: .flat(2))
    #expect(sharding.buckets.map(\.count) == [64 * block, 64 * block, 64 * block, 8 * block])
    #expect(sharding.buckets(touching: 0..<1) == 0..<1)
    #expect(sharding.buckets(touching: 64 * block - 1..<64 * block) == 0..<1)
    #expect(sharding.buckets(touching: 64 * block - 1..<64 * block + 1) == 0..<2)
    #expect(sharding.buckets(touching: 64 * block..<200 * block) == 1..<4)
    #expect(sharding.buckets(touching: 5..<5).isEmpty)
  }

  @Test(arguments: grids)
  func gatheredBlocksReturnToTheOrderOfTheArena(grid: (nodes: Int, slots: Int)) {
    let sharding = Sharding(arenaCount: 333 * block, grid: RankGrid(nodes: grid.nodes, slots: grid.slots))
    let gathered = (0..<grid.nodes * grid.slots).flatMap { rank in
      sharding.pieces(ofRank: rank).flatMap { $0.range.lowerBound / block..<$0.range.upperBound / block }
    }
    #expect(sharding.inArenaOrder(gathered) == Array(0..<333))
  }
}

@Suite struct RankGridTests {
  @Test func hostsWithEquallyManyRanksInBlocksAreAGrid() {
    #expect(RankGrid(hosts: ["a", "a", "b", "b", "c", "c"]) == RankGrid(nodes: 3, slots: 2))
    #expect(RankGrid(hosts: ["a"]) == RankGrid(nodes: 1, slots: 1))
    #expect(RankGrid(hosts: ["a", "b", "c"]) == .flat(3))
    #expect(RankGrid(hosts: ["a", "b", "a", "b"]) == nil)
    #expect(RankGrid(hosts: ["a", "a", "b"]) == nil)
    #expect(RankGrid(hosts: ["a", "b", "b", "b"]) == nil)
  }

  @Test func ranksCorrespondToNodesAndSlots() {
    let grid = RankGrid(nodes: 3, slots: 4)
    for rank in 0..<12 { #expect(grid.rank(node: grid.node(of: rank), slot: grid.slot(of: rank)) == rank) }
    #expect(grid.ranks(ofNode: 1) == [4, 5, 6, 7])
    #expect(grid.ranks(ofSlot: 1) == [1, 5, 9])
  }
}

@Suite struct ReductionPlanTests {
  /// Executes the plans of all ranks on expressions: every rank must end with the tree's expression.
  @Test(arguments: [(1, 1), (2, 1), (1, 3), (2, 2), (3, 2), (2, 4), (5, 1)], [8, 9, 13])
  func everyOwnerGetsTheTreesSum(grid: (nodes: Int, slots: Int), leaves: Int) {
    let grid = RankGrid(nodes: grid.nodes, slots: grid.slots)
    let tree = MicroBatchTree(leafCount: leaves)
    let sharding = Sharding(arenaCount: 64 * block, grid: grid)
    let plans = (0..<grid.rankCount).map { ReductionPlan(tree: tree, sharding: sharding, rank: $0) }
    var sums = tree.leafRanges(ofRanks: grid.rankCount).map { leaves in
      tree.maximalSubtrees(of: leaves).map { expression($0.leaves) }
    }
    for level in 0..<2 {
      sums = plans.enumerated().map { rank, plan in
        let level = plan.levels[level]
        var values = level.peers.flatMap { sums[$0] }
        #expect(values.count == level.sumCount && level.peers[level.own] == rank)
        for addition in level.additions {
          values[addition.left] = "(\(values[addition.left]) \(values[addition.right]))"
        }
        return level.results.map { values[$0] }
      }
    }
    for sum in sums { #expect(sum == [expression(0..<leaves)]) }
  }

  private func expression(_ leaves: Range<Int>) -> String {
    if leaves.count == 1 { return "\(leaves.lowerBound)" }
    var left = 1
    while left * 2 < leaves.count { left *= 2 }
    let middle = leaves.lowerBound + left
    return "(\(expression(leaves.lowerBound..<middle)) \(expression(middle..<leaves.upperBound)))"
  }
}
