import CProcessor
import Glibc
import Synchronization

/// A fixed set of threads that share the iterations of a loop.
///
/// Work is cut into items whose boundaries the caller chooses without looking at the number of threads; which thread
/// runs which item never matters to the result. Each thread begins with its own contiguous share of the items, the same
/// in every loop, so that what it wrote in one loop is in its caches in the next; when it is done it takes over items of
/// the others. With one thread everything runs inline.
public final class WorkerPool: Sendable {
  public let threadCount: Int
  private let shared: SharedState

  /// - Parameter threadCount: threads that work, the calling one included; at least 1.
  public init(threadCount: Int) {
    precondition(threadCount >= 1, "a pool needs at least one thread")
    self.threadCount = threadCount
    self.shared = SharedState(helperCount: threadCount - 1)
    for index in 1..<threadCount { shared.startHelper(index) }
  }

  deinit { shared.stop() }

  /// Calls `body` once for every index below `count`, from several threads at once, and returns when all have ended.
  ///
  /// Not reentrant: `body` must not call `forEach` on the same pool, and one thread at a time may call it.
  public func forEach(_ count: Int, _ body: (Int) -> Void) {
    if threadCount == 1 || count <= 1 {
      for index in 0..<count { body(index) }
      return
    }
    withoutActuallyEscaping(body) { body in
      shared.run(count: count, body: body)
    }
  }

  /// Calls `body` with consecutive ranges of at most `grain` that cover 0..<count. The ranges do not depend on the
  /// number of threads.
  public func forEachRange(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    let grain = max(grain, 1)
    forEach((count + grain - 1) / grain) { item in
      body(item * grain..<min(count, (item + 1) * grain))
    }
  }
}

/// What the threads of a pool share. The job's closure lives only while `run` waits for it, which is what makes
/// handing it to other threads sound.
private final class SharedState: @unchecked Sendable {
  private let helperCount: Int
  /// Counts jobs; helpers wait for it to move.
  private let generation = Atomic<Int>(0)
  /// The next item of each thread's share, each on cache lines of its own.
  private let nextItems: UnsafeMutablePointer<PaddedCounter>
  private let busyHelpers = Atomic<Int>(0)
  private let stopping = Atomic<Bool>(false)
  private let sleepers = Atomic<Int>(0)
  private var itemCount = 0
  private var body: ((Int) -> Void)?
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wakeUp = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Turns of the waiting loop before a helper sleeps: some tens of microseconds, about what a wake-up costs.
  private static let spinLimit = 4000

  init(helperCount: Int) {
    self.helperCount = helperCount
    nextItems = .allocate(capacity: helperCount + 1)
    for thread in 0...helperCount { (nextItems + thread).initialize(to: PaddedCounter()) }
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wakeUp, nil)
  }

  deinit {
    nextItems.deinitialize(count: helperCount + 1)
    nextItems.deallocate()
    pthread_cond_destroy(wakeUp)
    pthread_mutex_destroy(mutex)
    wakeUp.deallocate()
    mutex.deallocate()
  }

  /// - Parameter index: from 1; the calling thread is 0.
  func startHelper(_ index: Int) {
    var thread = pthread_t()
    let start = Unmanaged.passRetained(HelperStart(state: self, index: index))
    let status = pthread_create(
      &thread, nil,
      { argument in
        let start = Unmanaged<HelperStart>.fromOpaque(argument!).takeRetainedValue()
        start.state.helperLoop(start.index)
        return nil
      }, start.toOpaque())
    guard status == 0 else { fatalError("cannot start a worker thread: \(String(cString: strerror(status)))") }
    pthread_detach(thread)
  }

  func run(count: Int, body: @escaping (Int) -> Void) {
    self.body = body
    itemCount = count
    for thread in 0...helperCount { nextItems[thread].value.store(share(of: thread).lowerBound, ordering: .relaxed) }
    busyHelpers.store(helperCount, ordering: .relaxed)
    advanceGeneration()
    takeItems(0)
    var turns = 0
    while busyHelpers.load(ordering: .acquiring) > 0 {
      turns += 1
      if turns > Self.spinLimit { sched_yield() } else { ddpm_pause() }
    }
    self.body = nil
  }

  func stop() {
    stopping.store(true, ordering: .releasing)
    advanceGeneration()
  }

  private func advanceGeneration() {
    generation.add(1, ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
      pthread_mutex_lock(mutex)
      pthread_cond_broadcast(wakeUp)
      pthread_mutex_unlock(mutex)
    }
  }

  /// The items that a thread begins with.
  private func share(of thread: Int) -> Range<Int> {
    thread * itemCount / (helperCount + 1)..<(thread + 1) * itemCount / (helperCount + 1)
  }

  // Never inlined: every reference to the closure must be gone when this returns, before the helper reports itself idle.
  @inline(never)
  private func takeItems(_ thread: Int) {
    guard let body else { return }
    for offset in 0...helperCount {
      let owner = (thread + offset) % (helperCount + 1)
      let end = share(of: owner).upperBound
      while true {
        let item = nextItems[owner].value.add(1, ordering: .relaxed).oldValue
        if item >= end { break }
        body(item)
      }
    }
  }

  private func helperLoop(_ thread: Int) {
    var seen = 0
    while true {
      waitForGeneration(after: seen)
      seen += 1
      if stopping.load(ordering: .acquiring) { return }
      takeItems(thread)
      busyHelpers.subtract(1, ordering: .releasing)
    }
  }

  private func waitForGeneration(after seen: Int) {
    for _ in 0..<Self.spinLimit {
      if generation.load(ordering: .acquiring) > seen { return }
      ddpm_pause()
    }
    pthread_mutex_lock(mutex)
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while generation.load(ordering: .sequentiallyConsistent) <= seen { pthread_cond_wait(wakeUp, mutex) }
    sleepers.subtract(1, ordering: .sequentiallyConsistent)
    pthread_mutex_unlock(mutex)
  }
}

/// What a new helper is told.
private final class HelperStart {
  let state: SharedState
  let index: Int

  init(state: SharedState, index: Int) {
    self.state = state
    self.index = index
  }
}

/// A counter that shares no cache line, nor the one fetched along with it, with its neighbours.
private struct PaddedCounter: ~Copyable {
  let value = Atomic<Int>(0)
  private let padding: (SIMD8<Int>, SIMD8<Int>) = (.zero, .zero)
}
