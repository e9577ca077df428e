import Glibc
import Synchronization
import Tensors
import Testing
import Threads

@Suite struct WorkerPoolTests {
  @Test(arguments: [1, 2, 3, 8])
  func everyItemRunsExactlyOnce(threads: Int) {
    let pool = WorkerPool(threadCount: threads)
    for count in [0, 1, 2, 7, 1000] {
      for _ in 0..<50 {
        let tally = Tensor(repeating: 0, shape: [max(count, 1)])
        pool.forEach(count) { tally[$0] += 1 }
        #expect(tally.elements.prefix(count).allSatisfy { $0 == 1 })
      }
    }
  }

  /// Threads that come too late for one or more jobs must not run their items or keep them from ending.
  @Test(arguments: [WorkerPool.Waiting.spinning, .sleeping], [2, 5, 64])
  func manyMoreThreadsThanProcessorsEndManyShortLoops(waiting: WorkerPool.Waiting, threads: Int) {
    let pool = WorkerPool(threadCount: threads, waiting: waiting)
    let tally = Tensor(repeating: 0, shape: [100])
    let loops = 2000
    for loop in 0..<loops { pool.forEach(2 + loop % 99) { tally[$0] += 1 } }
    for (item, count) in tally.elements.enumerated() {
      #expect(Int(count) == (0..<loops).count { 2 + $0 % 99 > item })
    }
  }

  @Test func loopsMayFollowAPauseInWhichAllThreadsSlept() {
    for waiting in [WorkerPool.Waiting.spinning, .sleeping] {
      let pool = WorkerPool(threadCount: 3, waiting: waiting)
      let count = Atomic<Int>(0)
      for _ in 0..<20 {
        usleep(1000)
        pool.forEach(3) { _ in
          usleep(100)
          count.add(1, ordering: .relaxed)
        }
      }
      #expect(count.load(ordering: .relaxed) == 60)
    }
  }

  @Test func aLoopEndsAfterTheItemsOfAllThreads() {
    for waiting in [WorkerPool.Waiting.spinning, .sleeping] {
      let pool = WorkerPool(threadCount: 4, waiting: waiting)
      for _ in 0..<20 {
        let count = Atomic<Int>(0)
        pool.forEach(8) { item in
          usleep(UInt32(50 * item))
          count.add(1, ordering: .relaxed)
        }
        #expect(count.load(ordering: .relaxed) == 8)
      }
    }
  }

  @Test(arguments: [WorkerPool.Waiting.spinning, .sleeping])
  func severalCallersRunAllTheirItems(waiting: WorkerPool.Waiting) {
    let pool = WorkerPool(threadCount: 3, waiting: waiting)
    let callers = 4
    let loops = 300
    let wrong = Monitor(0)
    let finished = Monitor(0)
    for caller in 0..<callers {
      _ = BackgroundThread("caller \(caller)") {
        for loop in 0..<loops {
          let tally = Tensor(repeating: 0, shape: [20])
          let count = 1 + (loop + caller) % 20
          pool.forEach(count) { tally[$0] += 1 }
          let isRight = tally.elements.enumerated().allSatisfy { $0.element == ($0.offset < count ? 1 : 0) }
          if !isRight { wrong.withLock { $0 += 1 } }
        }
        finished.update { $0 += 1 }
      }
    }
    finished.wait { $0 == callers ? () : nil }
    #expect(wrong.withLock { $0 } == 0)
  }

  @Test(arguments: [1, 2, 3])
  func aLoopMayRunLoopsOfTheSamePool(threads: Int) {
    let pool = WorkerPool(threadCount: threads)
    let tally = Tensor(repeating: 0, shape: [8, 5])
    pool.forEach(8) { row in pool.forEach(5) { column in tally[row * 5 + column] += 1 } }
    #expect(tally.elements.allSatisfy { $0 == 1 })
  }

  @Test func threadsSpinOnlyIfEachHasAProcessor() {
    let processors = ProcessorSet.usable.count
    #expect(WorkerPool(threadCount: processors).waiting == .spinning)
    #expect(WorkerPool(threadCount: processors + 1).waiting == .sleeping)
  }

  @Test func rangesCoverTheWholeWithoutOverlap() {
    let pool = WorkerPool(threadCount: 2)
    let tally = Tensor(repeating: 0, shape: [1003])
    pool.forEachRange(1003, grain: 100) { for i in $0 { tally[i] += 1 } }
    #expect(tally.elements.allSatisfy { $0 == 1 })
  }
}

@Suite struct ParameterLayoutTests {
  @Test func parametersDoNotOverlapAndFillWholeBlocks() {
    var layout = ParameterLayout()
    for i in 0..<9 { _ = layout.add("p\(i)", shape: [3, 3, 7 * i + 1, 11], order: .hwio) }
    #expect(layout.arenaCount >= layout.entries.last!.range.upperBound)
    #expect(layout.arenaCount % ParameterLayout.blockSize == 0)
    for (a, b) in zip(layout.entries, layout.entries.dropFirst()) { #expect(a.range.upperBound <= b.offset) }
  }
}
