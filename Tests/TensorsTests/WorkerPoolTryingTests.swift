import Tensors
import Testing

@Suite struct WorkerPoolTryingTests {
  private struct Failure: Error, Equatable { var index: Int }

  @Test(arguments: [1, 2, 5])
  func theFirstFailureInOrderIsThrownOnceAllHaveEnded(threads: Int) {
    let pool = WorkerPool(threadCount: threads)
    let done = UnsafeMutablePointer<Int>.allocate(capacity: 100)
    defer { done.deallocate() }
    done.initialize(repeating: 0, count: 100)
    let places = SharedCounts(done)
    #expect(throws: Failure(index: 17)) {
      try pool.forEachTrying(100) { index in
        places.add(index)
        if index % 30 == 17 { throw Failure(index: index) }
      }
    }
    #expect((0..<100).allSatisfy { done[$0] == 1 })
  }

  private struct SharedCounts: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Int>
    init(_ pointer: UnsafeMutablePointer<Int>) { self.pointer = pointer }
    func add(_ index: Int) { pointer[index] += 1 }
  }
}
