import Synchronization
import Tensors
import Testing

@Suite struct WorkerPoolTests {
  @Test(arguments: [1, 2, 3, 8])
  func everyItemRunsOnce(threads: Int) {
    let pool = WorkerPool(threadCount: threads)
    for count in [0, 1, 2, 7, 1000] {
      for _ in 0..<50 {
        let tally = Tensor(repeating: 0, shape: [max(count, 1)])
        pool.forEach(count) { tally.pointer[$0] += 1 }
        #expect(tally.elements.prefix(count).allSatisfy { $0 == 1 })
      }
    }
  }

  @Test func rangesCoverTheWholeWithoutOverlap() {
    let pool = WorkerPool(threadCount: 2)
    let tally = Tensor(repeating: 0, shape: [1003])
    pool.forEachRange(1003, grain: 100) { for i in $0 { tally.pointer[i] += 1 } }
    #expect(tally.elements.allSatisfy { $0 == 1 })
  }
}

@Suite struct ParameterLayoutTests {
  @Test(arguments: [1, 2, 3, 5, 8, 100])
  func shardsCoverTheArenaInWholeBlocks(count: Int) {
    var layout = ParameterLayout()
    for i in 0..<9 { _ = layout.add("p\(i)", shape: [3, 3, 7 * i + 1, 11], order: .hwio) }
    let shards = layout.shards(count)
    #expect(shards.first!.lowerBound == 0 && shards.last!.upperBound == layout.arenaCount)
    for (a, b) in zip(shards, shards.dropFirst()) { #expect(a.upperBound == b.lowerBound) }
    #expect(shards.allSatisfy { $0.lowerBound % ParameterLayout.blockSize == 0 })
    for (a, b) in zip(layout.entries, layout.entries.dropFirst()) { #expect(a.range.upperBound <= b.offset) }
  }
}
