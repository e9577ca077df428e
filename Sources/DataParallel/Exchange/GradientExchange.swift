import Glibc
import Kernels
import MessagePassing
import Synchronization
import Tensors

/// Takes each bucket of the ranks' gradients to the owners of its pieces, level by level of a `ReductionPlan`, and adds
/// them up there. One step after the other; within a step, bucket after bucket as the backward pass finishes them, from
/// the end of the arena.
///
/// `begin` and `publish` are called by the thread that computes, `advance` by the one that moves messages.
final class GradientExchange: BackgroundWork, @unchecked Sendable {
  private let plan: ReductionPlan
  /// The parts of a level's peers, looked up for every message.
  private let buckets: [Bucket]
  private let windows: [Window]
  /// Gradients that are final since the last look; guarded by `mutex`.
  private var published: [Sum] = []
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  /// The same, taken over by `advance`.
  private var taken: [Sum] = []
  /// This rank's sums, by their places, as far as they are known: arenas.
  private var ownSums: [UnsafeMutablePointer<Float>?]
  /// Buckets of which messages may be received, in the order in which they were opened.
  private var open: [Bucket] = []
  /// How many buckets were opened: from the end of the arena.
  private var openedCount = 0
  private var doneCount = 0
  private let isDoneFlag = Atomic<Bool>(true)

  /// A sum of this rank, of which a bucket is final.
  private struct Sum {
    let place: Int
    let bucket: Int
    let arena: UnsafeMutablePointer<Float>
  }

  /// - Parameter roundsBetweenNodes: whether sums travel between nodes as `BFloat16`.
  init(plan: ReductionPlan, communicator: Communicator, roundsBetweenNodes: Bool = false) {
    self.plan = plan
    let sharding = plan.sharding
    let windowCount = min(sharding.buckets.count, sharding.bucketsInFlight)
    windows = (0..<windowCount).map { _ in Window(plan, roundsBetweenNodes: roundsBetweenNodes) }
    buckets = sharding.buckets.indices.map { Bucket(number: $0, plan, communicator) }
    ownSums = [UnsafeMutablePointer<Float>?](repeating: nil, count: plan.levels[0].sumCounts[plan.levels[0].own])
    let sumCount = ownSums.count * sharding.buckets.count
    published.reserveCapacity(sumCount)
    taken.reserveCapacity(sumCount)
    open.reserveCapacity(windowCount)
    precondition(plan.levels.allSatisfy { $0.sumCounts.allSatisfy { $0 <= MessageTag.sumLimit } })
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  var isDone: Bool { isDoneFlag.load(ordering: .acquiring) }

  /// Begins a step. The one before must be done.
  func begin() {
    precondition(isDone, "the gradients of the last step are still under way")
    openedCount = 0
    doneCount = 0
    for bucket in buckets { bucket.reset() }
    isDoneFlag.store(buckets.isEmpty, ordering: .releasing)
  }

  /// Hands over a bucket of one of this rank's sums, which will not change any more. The arena must stay until the step
  /// is done; of the first sum's, what this rank owns then holds the total.
  /// - Parameter place: of the sum among those of this rank.
  func publish(bucket: Int, ofSum place: Int, arena: UnsafeMutablePointer<Float>) {
    pthread_mutex_lock(mutex)
    published.append(Sum(place: place, bucket: bucket, arena: arena))
    pthread_mutex_unlock(mutex)
  }

  func advance() throws -> Bool {
    var hasMoved = try takePublished()
    while open.count < windows.count && openedCount < buckets.count {
      let bucket = buckets[buckets.count - 1 - openedCount]
      // A window is free again when the bucket that had it is done; those that are open hold the others.
      let window = windows.first { window in !open.contains { $0.window === window } }!
      try bucket.open(in: window)
      open.append(bucket)
      openedCount += 1
      hasMoved = true
    }
    for bucket in open where try bucket.advance(ownSums) { hasMoved = true }
    let openCount = open.count
    open.removeAll { $0.isDone }
    doneCount += openCount - open.count
    if doneCount == buckets.count { isDoneFlag.store(true, ordering: .releasing) }
    return hasMoved
  }

  private func takePublished() throws -> Bool {
    pthread_mutex_lock(mutex)
    swap(&published, &taken)
    pthread_mutex_unlock(mutex)
    for sum in taken {
      ownSums[sum.place] = sum.arena
      try buckets[sum.bucket].send(sum.place, sum.arena)
    }
    defer { taken.removeAll(keepingCapacity: true) }
    return !taken.isEmpty
  }
}

/// Memory for what is received of a bucket, per level.
private final class Window {
  let buffers: [FloatBuffer]
  /// Floats of a level's buffer that one sum has.
  let strides: [Int]
  /// Where sums travel rounded between nodes: what is sent, a section for each sum, and what is received, laid out as in
  /// the second level's buffer.
  let rounded: (sent: HalfBuffer, received: HalfBuffer)?
  /// Numbers of a section.
  let sectionStride: Int

  init(_ plan: ReductionPlan, roundsBetweenNodes: Bool) {
    let buckets = plan.sharding.buckets.indices
    strides = plan.levels.indices.map { level in
      buckets.map { plan.part(level: level, bucket: $0, peer: plan.levels[level].own).count }.max() ?? 0
    }
    buffers = zip(plan.levels, strides).map { level, stride in
      FloatBuffer(count: (level.placeCount - level.sumCounts[level.own]) * stride)
    }
    sectionStride = strides[0]
    rounded =
      roundsBetweenNodes && plan.levels[1].peers.count > 1
      ? (HalfBuffer(count: plan.levels[0].results.count * sectionStride), HalfBuffer(count: buffers[1].count)) : nil
  }
}

/// Numbers of 16 bits.
private final class HalfBuffer {
  let pointer: UnsafeMutablePointer<UInt16>

  init(count: Int) { pointer = .allocate(capacity: max(1, count)) }

  deinit { pointer.deallocate() }
}

/// A bucket on its way through the levels.
private final class Bucket {
  private let number: Int
  private let plan: ReductionPlan
  /// Per level.
  private let received: [MessageSet]
  private let sent: MessageSet
  private(set) var window: Window?
  /// How many of this rank's sums are final.
  private var finalCount = 0
  /// The level that is under way.
  private var level = 0
  private(set) var isDone = false
  /// Where the sums of each level lie, by their places: the address of a sum's float i is this + i, i counting from the
  /// start of the arena.
  private var sums: [[UnsafeMutablePointer<Float>?]]

  init(number: Int, _ plan: ReductionPlan, _ communicator: Communicator) {
    self.number = number
    self.plan = plan
    received = plan.levels.map {
      MessageSet(communicator, capacity: $0.placeCount - $0.sumCounts[$0.own])
    }
    let levels = plan.levels
    sent = MessageSet(
      communicator, capacity: levels.reduce(0) { $0 + $1.sumCounts[$1.own] * ($1.peers.count - 1) })
    sums = levels.map { [UnsafeMutablePointer<Float>?](repeating: nil, count: $0.placeCount) }
  }

  func reset() {
    window = nil
    finalCount = 0
    level = 0
    isDone = false
  }

  /// Starts to send what others get of one of this rank's sums.
  func send(_ sum: Int, _ arena: UnsafeMutablePointer<Float>) throws {
    finalCount += 1
    try send(sum, arena, onLevel: 0)
  }

  private func send(_ sum: Int, _ values: UnsafeMutablePointer<Float>, onLevel index: Int) throws {
    let level = plan.levels[index]
    let tag = MessageTag(.gradients, level: index, sum: sum, bucket: number).number
    // Of a section the first float; as rounded numbers, where they go.
    let section = plan.part(level: 0, bucket: number, peer: plan.levels[0].own)
    let halves = index == 1 ? window?.rounded.map { $0.sent.pointer + sum * window!.sectionStride } : nil
    if let halves { BFloat16.round(values + section.lowerBound, into: halves, count: section.count) }
    // Each begins with the next one, so that they do not all begin with the first.
    for distance in 1..<max(1, level.peers.count) {
      let peer = (level.own + distance) % level.peers.count
      let part = plan.part(level: index, bucket: number, peer: peer)
      if part.isEmpty { continue }
      if let halves {
        try sent.send(
          halves + part.lowerBound - section.lowerBound, count: part.count, to: level.peers[peer], tag: tag)
      } else {
        try sent.send(values + part.lowerBound, count: part.count, to: level.peers[peer], tag: tag)
      }
    }
  }

  /// Starts to receive what others have of this rank's parts.
  func open(in window: Window) throws {
    self.window = window
    for (index, level) in plan.levels.enumerated() {
      let part = plan.part(level: index, bucket: number, peer: level.own)
      if part.isEmpty { continue }
      let start = window.buffers[index].pointer
      var next = start
      for distance in 1..<max(1, level.peers.count) {
        let peer = (level.own + level.peers.count - distance) % level.peers.count
        for sum in 0..<level.sumCounts[peer] {
          let tag = MessageTag(.gradients, level: index, sum: sum, bucket: number).number
          if index == 1, let rounded = window.rounded {
            try received[index].receive(
              rounded.received.pointer + (next - start), count: part.count, from: level.peers[peer], tag: tag)
          } else {
            try received[index].receive(next, count: part.count, from: level.peers[peer], tag: tag)
          }
          sums[index][level.places[peer] + sum] = next - part.lowerBound
          next += window.strides[index]
        }
      }
    }
  }

  /// - Parameter ownSums: this rank's sums, as far as they are known.
  func advance(_ ownSums: [UnsafeMutablePointer<Float>?]) throws -> Bool {
    var hasMoved = false
    while level < plan.levels.count {
      let isComplete = level > 0 || finalCount == ownSums.count
      guard try received[level].advance(), isComplete else { return hasMoved }
      try finishLevel(ownSums)
      level += 1
      hasMoved = true
    }
    guard try sent.advance() else { return hasMoved }
    isDone = true
    return true
  }

  private func finishLevel(_ ownSums: [UnsafeMutablePointer<Float>?]) throws {
    let now = plan.levels[level]
    let part = plan.part(level: level, bucket: number, peer: now.own)
    if level == 1, let window, let rounded = window.rounded {
      BFloat16.widen(rounded.received.pointer, into: window.buffers[1].pointer, count: window.buffers[1].count)
    }
    if level == 0 {
      for (place, sum) in ownSums.enumerated() { sums[0][now.places[now.own] + place] = sum }
    }
    for addition in now.additions where !part.isEmpty {
      Elementwise.add(
        sums[level][addition.right]! + part.lowerBound, into: sums[level][addition.left]! + part.lowerBound,
        count: part.count, workers: .callingThread)
    }
    let results = now.results.map { sums[level][$0] }
    if level + 1 < plan.levels.count {
      let next = plan.levels[level + 1]
      for (place, result) in results.enumerated() {
        sums[level + 1][next.places[next.own] + place] = result
        if let result { try send(place, result, onLevel: level + 1) }
      }
    } else if let total = results[0], let first = ownSums[0], total != first, !part.isEmpty {
      (first + part.lowerBound).update(from: total + part.lowerBound, count: part.count)
    }
  }
}
