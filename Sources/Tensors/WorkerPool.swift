import CProcessor
import Glibc
import Synchronization
import Threads

/// A fixed set of threads that share the iterations of a loop.
///
/// Work is divided into items whose boundaries do not depend on the number of threads; the result does not depend on
/// which thread runs which item. Each thread starts with its own contiguous share of the items, the same in every loop,
/// so that what it wrote in one loop is in its caches in the next; when it is done, it takes over items of other
/// threads. With one thread everything runs inline.
@usableFromInline package final class WorkerPool: Sendable {
  /// What idle threads do.
  @usableFromInline package enum Waiting: Sendable {
    /// Poll for work for some tens of microseconds before sleeping, which is fastest if each thread has its own
    /// processor.
    case spinning
    /// Sleep at once, which leaves the processor to a thread that has work.
    case sleeping
  }

  package let threadCount: Int
  package let waiting: Waiting
  private let shared: SharedState

  /// - Parameters:
  ///   - threadCount: the number of working threads, the calling one included; at least 1.
  ///   - waiting: by default spinning, unless this process may use fewer processors than the pool has threads. Choose
  ///     it explicitly if other processes keep these processors busy.
  @usableFromInline package init(threadCount: Int, waiting: Waiting? = nil) {
    precondition(threadCount >= 1, "a pool needs at least one thread")
    self.threadCount = threadCount
    self.waiting = waiting ?? (threadCount <= ProcessorSet.usable.count ? .spinning : .sleeping)
    self.shared = SharedState(helperCount: threadCount - 1, spins: self.waiting == .spinning)
    for index in 1..<threadCount { shared.startHelper(index) }
  }

  deinit { shared.stop() }

  /// A pool of the calling thread alone, for work that one thread of a pool does by itself.
  package static let callingThread = WorkerPool(threadCount: 1)

  /// The number of loops run by all pools of this process. If it changes between two reads, something is being
  /// computed.
  package static var loopCount: Int { loops.load(ordering: .relaxed) }
  private static let loops = Atomic<Int>(0)

  /// Calls `body` once for every index below `count`, from several threads at once, and returns when all calls have
  /// ended.
  ///
  /// While the pool's threads are at work, for another caller or for a loop whose `body` calls this, the calling thread
  /// runs the whole loop itself.
  package func forEach(_ count: Int, _ body: (Int) -> Void) {
    Self.loops.add(1, ordering: .relaxed)
    guard threadCount > 1, count > 1, shared.begin() else {
      for index in 0..<count { body(index) }
      return
    }
    defer { shared.end() }
    withoutActuallyEscaping(body) { body in
      shared.run(count: count, body: body)
    }
  }

  /// The results of `body` for every index below `count`, in order; it is called from several threads at once.
  package func map<Element>(_ count: Int, _ body: (Int) -> Element) -> [Element] {
    [Element](unsafeUninitializedCapacity: count) { elements, initialised in
      let first = elements.baseAddress
      forEach(count) { index in (first! + index).initialize(to: body(index)) }
      initialised = count
    }
  }

  /// Calls `body` with consecutive ranges of at most `grain` indices that cover 0..<count. The ranges do not depend on
  /// the number of threads.
  package func forEachRange(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    let grain = max(grain, 1)
    forEach((count + grain - 1) / grain) { item in
      body(item * grain..<min(count, (item + 1) * grain))
    }
  }
}

/// The state shared by the threads of a pool. The job's closure lives only while `run` waits for it, so it is safe to
/// hand it to other threads.
///
/// Helpers join a job while it is open. The caller closes it when no items are left, and waits for the helpers that
/// have joined, but not for those that were not scheduled in time.
///
/// The state is atomic, so that threads that spin need no lock; the monitors are for those that sleep.
private final class SharedState: @unchecked Sendable {
  private let helperCount: Int
  private let spins: Bool
  /// The raw value of a `JobState`.
  private let job = Atomic<Int>(JobState(number: 0).rawValue)
  /// The next item of each thread's share, each on cache lines of its own.
  private let nextItems: UnsafeMutablePointer<PaddedCounter>
  /// Whether a caller has the threads.
  private let isTaken = Atomic<Bool>(false)
  private let stopping = Atomic<Bool>(false)
  private let sleepers = Atomic<Int>(0)
  private var itemCount = 0
  private var body: ((Int) -> Void)?
  /// Helpers sleep here until there is another job.
  private let opened = Monitor(())
  /// The caller sleeps here until the last helper has left its job.
  private let allLeft = Monitor(())
  /// How many times a thread polls before it sleeps: some tens of microseconds, about the cost of a wake-up.
  private static let spinLimit = 4000

  @usableFromInline init(helperCount: Int, spins: Bool) {
    self.helperCount = helperCount
    self.spins = spins
    nextItems = .allocate(capacity: helperCount + 1)
    for thread in 0...helperCount { (nextItems + thread).initialize(to: PaddedCounter()) }
  }

  deinit {
    nextItems.deinitialize(count: helperCount + 1)
    nextItems.deallocate()
  }

  /// Starts a thread that lives until `stop`.
  /// - Parameter index: from 1; the calling thread is 0.
  func startHelper(_ index: Int) {
    _ = BackgroundThread("worker \(index + 1)", advice: "use fewer --threads") { self.helperLoop(index) }
  }

  // MARK: The caller

  /// Takes the threads for a loop, which `end` must follow; false if another loop has them.
  func begin() -> Bool { !isTaken.exchange(true, ordering: .acquiring) }

  func end() { isTaken.store(false, ordering: .releasing) }

  func run(count: Int, body: @escaping (Int) -> Void) {
    self.body = body
    itemCount = count
    for thread in 0...helperCount { nextItems[thread].value.store(share(of: thread).lowerBound, ordering: .relaxed) }
    open()
    wakeHelpers(atMost: count - 1)
    takeItems(0)
    if close() > 0 { waitForHelpers() }
    self.body = nil
  }

  func stop() {
    stopping.store(true, ordering: .releasing)
    open()
    wakeHelpers(atMost: helperCount)
  }

  private func open() {
    let next = JobState(number: JobState(rawValue: job.load(ordering: .relaxed)).number + 1)
    job.store(next.rawValue, ordering: .sequentiallyConsistent)
  }

  /// Lets no more helpers join.
  /// - Returns: the number of helpers that have joined and not left.
  private func close() -> Int {
    JobState(rawValue: job.bitwiseAnd(~1, ordering: .acquiringAndReleasing).newValue).helpers
  }

  private func wakeHelpers(atMost count: Int) {
    let sleeping = sleepers.load(ordering: .sequentiallyConsistent)
    guard sleeping > 0 else { return }
    opened.update(waking: sleeping <= count ? .max : count) { _ in }
  }

  private func waitForHelpers() {
    if spins {
      var turns = 0
      while JobState(rawValue: job.load(ordering: .acquiring)).helpers > 0 {
        turns += 1
        if turns > Self.spinLimit { sched_yield() } else { ddpm_pause() }
      }
    } else {
      allLeft.wait { _ in JobState(rawValue: job.load(ordering: .acquiring)).helpers > 0 ? nil : () }
    }
  }

  // MARK: All threads

  /// The items that a thread starts with.
  private func share(of thread: Int) -> Range<Int> {
    thread * itemCount / (helperCount + 1)..<(thread + 1) * itemCount / (helperCount + 1)
  }

  // Never inlined: every reference to the closure must be gone when this returns, before the helper leaves the job.
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

  // MARK: Helpers

  private func helperLoop(_ thread: Int) {
    var seen = 0
    while true {
      seen = waitForJob(after: seen)
      if stopping.load(ordering: .acquiring) { return }
      guard join(seen) else { continue }
      takeItems(thread)
      leave()
    }
  }

  /// The number of the current job, once it differs from `seen`.
  private func waitForJob(after seen: Int) -> Int {
    for _ in 0..<(spins ? Self.spinLimit : 1) {
      let number = JobState(rawValue: job.load(ordering: .acquiring)).number
      if number > seen { return number }
      ddpm_pause()
    }
    // Counted before looking: either the helper sees the next job, or the thread that opens it sees the sleeper.
    sleepers.add(1, ordering: .sequentiallyConsistent)
    defer { sleepers.subtract(1, ordering: .sequentiallyConsistent) }
    return opened.wait { _ in
      let number = JobState(rawValue: job.load(ordering: .sequentiallyConsistent)).number
      return number > seen ? number : nil
    }
  }

  /// Joins a job unless it is closed or finished.
  private func join(_ number: Int) -> Bool {
    var state = JobState(rawValue: job.load(ordering: .relaxed))
    while state.number == number && state.isOpen {
      let (isDone, current) = job.weakCompareExchange(
        expected: state.rawValue, desired: state.rawValue + JobState.helper, ordering: .acquiring)
      if isDone { return true }
      state = JobState(rawValue: current)
    }
    return false
  }

  private func leave() {
    let state = JobState(rawValue: job.subtract(JobState.helper, ordering: .releasing).newValue)
    if !spins && !state.isOpen && state.helpers == 0 { allLeft.update { _ in } }
  }
}

/// A job's number (from 1), the number of its helpers and whether more may join, in one word.
private struct JobState {
  let rawValue: Int
  /// What a helper adds to the raw value.
  static let helper = 2
  private static let helperBits = 20

  @usableFromInline init(rawValue: Int) { self.rawValue = rawValue }

  /// An open job without helpers.
  @usableFromInline init(number: Int) { rawValue = number << (Self.helperBits + 1) | 1 }

  var number: Int { rawValue >> (Self.helperBits + 1) }
  var helpers: Int { rawValue >> 1 & (1 << Self.helperBits - 1) }
  var isOpen: Bool { rawValue & 1 == 1 }
}

/// A counter on its own pair of cache lines, since processors fetch neighbouring lines together.
private struct PaddedCounter: ~Copyable {
  let value = Atomic<Int>(0)
  private let padding: (SIMD8<Int>, SIMD8<Int>) = (.zero, .zero)
}
