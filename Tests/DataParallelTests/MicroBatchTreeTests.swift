import DataParallel
import Tensors
import Testing

@Suite struct MicroBatchTreeTests {
  /// The tree by its plain definition: a node's left child takes the largest power of two below its size.
  private func expression(_ leaves: Range<Int>) -> String {
    if leaves.count == 1 { return "\(leaves.lowerBound)" }
    var left = 1
    while left * 2 < leaves.count { left *= 2 }
    let middle = leaves.lowerBound + left
    return "(\(expression(leaves.lowerBound..<middle)) \(expression(middle..<leaves.upperBound)))"
  }

  /// The result of all ranks together, from leaves and any kind of addition.
  private func total<Value>(
    _ tree: MicroBatchTree, rankCount: Int, leaf: (Int) -> Value,
    add: (Value, Value) -> Value
  ) -> Value {
    var nodes: [MicroBatchTree.Node] = []
    var values: [Value] = []
    for run in tree.leafRanges(ofRanks: rankCount) {
      var accumulator = SubtreeAccumulator<Cell<Value>>(tree: tree, leaves: run)
      for index in run {
        let next = accumulator.start { Cell(nil) }
        next.buffer.value = next.buffer.value.map { add($0, leaf(index)) } ?? leaf(index)
        for addition in next.additions { addition.left.value = add(addition.left.value!, addition.right.value!) }
        accumulator.finish(next)
        // A sum is final once it is one of the rank's own subtrees.
        let last = accumulator.sums.last!
        #expect(next.sum === last.buffer)
        #expect(next.finalIndex == accumulator.subtrees.firstIndex(of: last.node))
      }
      #expect(accumulator.isComplete)
      #expect(accumulator.sums.map(\.node) == tree.maximalSubtrees(of: run))
      nodes += accumulator.sums.map(\.node)
      values += accumulator.sums.map { $0.buffer.value! }
    }
    let (additions, sums) = tree.merging(nodes)
    #expect(sums.map(\.node) == [tree.root] && sums[0].index == 0)
    for addition in additions {
      values[addition.left] = add(values[addition.left], values[addition.right])
    }
    return values[0]
  }

  @Test(arguments: 1...17)
  func everyNumberOfRanksAddsInTheSameTree(leafCount: Int) {
    let tree = MicroBatchTree(leafCount: leafCount)
    let expected = expression(0..<leafCount)
    for rankCount in 1...leafCount {
      #expect(total(tree, rankCount: rankCount, leaf: { "\($0)" }, add: { "(\($0) \($1))" }) == expected)
    }
  }

  @Test(arguments: 1...17)
  func everyNumberOfRanksGivesTheSameBits(leafCount: Int) {
    let tree = MicroBatchTree(leafCount: leafCount)
    let numbers = gaussian(leafCount, sample: 5).elements.enumerated().map { $1 * ($0 % 3 == 0 ? 1000 : 1) }
    let alone = total(tree, rankCount: 1, leaf: { numbers[$0] }, add: +)
    for rankCount in 1...leafCount {
      #expect(total(tree, rankCount: rankCount, leaf: { numbers[$0] }, add: +).bitPattern == alone.bitPattern)
    }
  }

  @Test(arguments: 1...17)
  func scalarsAreAddedInTheSameTree(leafCount: Int) {
    let tree = MicroBatchTree(leafCount: leafCount)
    let numbers = gaussian(leafCount, sample: 6).elements.map { Double($0) / 3 }
    #expect(MicroBatchTree.sum(numbers) == total(tree, rankCount: 1, leaf: { numbers[$0] }, add: +))
  }

  @Test(arguments: 1...40)
  func rangesOfRanksCoverAllLeavesEvenly(leafCount: Int) {
    let tree = MicroBatchTree(leafCount: leafCount)
    for rankCount in 1...leafCount {
      let runs = tree.leafRanges(ofRanks: rankCount)
      #expect(runs.flatMap(Array.init) == Array(0..<leafCount))
      #expect(runs.map(\.count).max()! - runs.map(\.count).min()! <= 1)
    }
  }

  @Test func powersOfTwoNeedOneSubtreeEach() {
    let tree = MicroBatchTree(leafCount: 32)
    for rankCount in [1, 2, 4, 8, 16, 32] {
      for run in tree.leafRanges(ofRanks: rankCount) { #expect(tree.maximalSubtrees(of: run).count == 1) }
    }
  }

  @Test func subtreesOfOddRangesAreTheLargestAligned() {
    let tree = MicroBatchTree(leafCount: 11)
    #expect(tree.maximalSubtrees(of: 1..<7).map(\.leaves) == [1..<2, 2..<4, 4..<6, 6..<7])
    // The end of the tree cuts node (2, 2) short; it is a whole node nevertheless.
    #expect(tree.maximalSubtrees(of: 7..<11).map(\.leaves) == [7..<8, 8..<11])
    let cut = tree.maximalSubtrees(of: 7..<11)[1]
    #expect(cut.level == 2 && cut.leaves.lowerBound >> cut.level == 2)
    #expect(tree.maximalSubtrees(of: 0..<11) == [tree.root])
    #expect(tree.maximalSubtrees(of: 4..<4).isEmpty)
  }

  /// Leaves that are right children need no buffer of their own: one buffer per level of the tree is enough.
  @Test func addingToSiblingsSavesABuffer() {
    for leafCount in 2...40 {
      let tree = MicroBatchTree(leafCount: leafCount)
      var accumulator = SubtreeAccumulator<Int>(tree: tree, leaves: 0..<leafCount)
      for leaf in 0..<leafCount {
        accumulator.finish(accumulator.start { leaf })
        #expect(accumulator.sums.count <= max(1, tree.root.level))
      }
      #expect(accumulator.isComplete)
      #expect(accumulator.sums.map(\.node) == [tree.root])
    }
  }

  @Test func accumulatorKeepsFewBuffersAndReturnsTheOthers() {
    for leafCount in 1...40 {
      let tree = MicroBatchTree(leafCount: leafCount)
      var logarithm = 0
      while 1 << logarithm < leafCount { logarithm += 1 }
      for start in 0..<leafCount {
        var accumulator = SubtreeAccumulator<Int>(tree: tree, leaves: start..<leafCount)
        var alive: Set<Int> = []
        for number in start..<leafCount {
          let leaf = accumulator.start {
            alive.insert(number)
            return number
          }
          let limit = start == 0 ? logarithm + 1 : max(2 * logarithm, 1)
          #expect(alive.count <= limit)
          accumulator.finish(leaf)
          for addition in leaf.additions { #expect(alive.remove(addition.right) != nil) }
          #expect(alive == Set(accumulator.sums.map(\.buffer)))
        }
      }
    }
  }

  /// The ranks of a node together have the maximal subtrees of all their leaves, and these add up to the root.
  @Test(arguments: 1...24)
  func subtreesOfNeighbouringRanksMergeIntoMaximalSubtrees(leafCount: Int) {
    let tree = MicroBatchTree(leafCount: leafCount)
    for rankCount in 1...leafCount {
      let runs = tree.leafRanges(ofRanks: rankCount)
      for group in 1...rankCount {
        for first in stride(from: 0, to: rankCount, by: group) {
          let ranks = first..<min(first + group, rankCount)
          let merged = tree.merging(ranks.flatMap { tree.maximalSubtrees(of: runs[$0]) })
          let all = runs[ranks.lowerBound].lowerBound..<runs[ranks.upperBound - 1].upperBound
          #expect(merged.sums.map(\.node) == tree.maximalSubtrees(of: all))
        }
      }
    }
  }
}

/// A buffer with one value.
private final class Cell<Value> {
  var value: Value?

  init(_ value: Value?) { self.value = value }
}
