import Kernels
import MessagePassing
import Synchronization
import Tensors

/// A gradient bucket that is exchanged level by level of a `ReductionPlan`.
///
/// Where the ranks of a node share the arenas of their sums, the messages of the first level do not contain the sums but
/// say where they are, and the sums are added in place. Nobody else uses the elements of a section: they are final.
final class GradientBucket: ExchangedBucket {
  private let bucket: Int
  private let plan: ReductionPlan
  /// The arenas of each rank of this node, if they share them.
  private let shared: [[FloatBuffer]]?
  /// Whether this rank's part is released in these arenas when the bucket is done.
  private let releasesSums: Bool
  /// The indices of the other ranks' sums among their arenas, as received, in the order of `incoming`.
  private let receivedIndices: Buffer<Int>
  /// The numbers 0, 1, 2 …, of which one is sent as an index of this rank's arenas.
  private let ownIndices: Buffer<Int>
  /// The sums of other ranks on each level.
  private let incoming: [[Incoming]]
  private let windows: ReceiveBufferPool
  private var window: ReceiveBuffers?
  /// One set per level.
  private let received: [MessageSet]
  private let sent: MessageSet
  /// The number of this rank's sums that are final.
  private var ownSumCount = 0
  /// The level in progress.
  private var currentLevel = 0
  /// The sums of each level that are known so far.
  private var sums: [[ArenaPart<Float>?]]
  private(set) var isDone = false

  /// A sum of another rank.
  private struct Incoming {
    /// The rank's index among the level's peers.
    let peer: Int
    /// The sum's index among those of that rank.
    let sum: Int
    /// Its index among all sums of the level.
    let index: Int
  }

  init(
    _ bucket: Int, _ plan: ReductionPlan, _ communicator: Communicator, _ windows: ReceiveBufferPool,
    shared: [[FloatBuffer]]?, releasesSums: Bool
  ) {
    self.bucket = bucket
    self.releasesSums = releasesSums
    self.plan = plan
    self.windows = windows
    self.shared = shared
    let levels = plan.levels
    incoming = levels.map { level in
      // From this rank's predecessor on, since each rank sends to its successor first.
      (1..<max(1, level.peers.count)).flatMap { distance in
        let peer = (level.own + level.peers.count - distance) % level.peers.count
        return level.sums[peer].enumerated().map { Incoming(peer: peer, sum: $0.offset, index: $0.element) }
      }
    }
    receivedIndices = Buffer(repeating: 0, count: shared == nil ? 0 : incoming[0].count)
    ownIndices = Buffer(count: shared?[levels[0].own].count ?? 0)
    ownIndices.store(Array(0..<ownIndices.count))
    received = levels.map { MessageSet(communicator, capacity: $0.sumCount - $0.ownSums.count) }
    sent = MessageSet(communicator, capacity: levels.reduce(0) { $0 + $1.ownSums.count * ($1.peers.count - 1) })
    sums = levels.map { [ArenaPart<Float>?](repeating: nil, count: $0.sumCount) }
  }

  /// Starts a step.
  func begin() {
    ownSumCount = 0
    currentLevel = 0
    isDone = false
  }

  /// Takes one of this rank's sums, and starts to send the other ranks their parts of it.
  func addOwnSum(_ sum: Int, _ arena: FloatBuffer) throws {
    ownSumCount += 1
    try send(sum, ArenaPart(buffer: arena, offset: 0), onLevel: 0)
  }

  /// Starts to receive this rank's parts of the others' sums.
  func open() throws {
    let window = windows.take()
    self.window = window
    for (level, exchange) in plan.levels.enumerated() {
      let part = ownPart(onLevel: level)
      if part.isEmpty { continue }
      for (slot, sum) in incoming[level].enumerated() {
        let (source, tag) = (exchange.peers[sum.peer], tag(onLevel: level, sum: sum.sum))
        if level == 0, shared != nil {
          try received[level].receive(slot..<slot + 1, of: receivedIndices, from: source, tag: tag)
          continue
        }
        let values = window.slot(slot, ofLevel: level, for: part)
        sums[level][sum.index] = values
        let range = values.range(part)
        if level == 1, let rounded = window.rounded {
          try received[level].receive(range, of: rounded.received, from: source, tag: tag)
        } else {
          try received[level].receive(range, of: values.buffer, from: source, tag: tag)
        }
      }
    }
  }

  func advance() throws -> Bool {
    var hasMoved = false
    while currentLevel < plan.levels.count {
      let isComplete = currentLevel > 0 || ownSumCount == plan.levels[0].ownSums.count
      guard try received[currentLevel].advance(), isComplete else { return hasMoved }
      try finishLevel()
      currentLevel += 1
      hasMoved = true
    }
    guard try sent.advance() else { return hasMoved }
    if let window { windows.giveBack(window) }
    window = nil
    if releasesSums { releaseSums() }
    isDone = true
    return true
  }

  /// Releases this rank's part in the arenas that the ranks of the node share, except that of the total.
  private func releaseSums() {
    let part = ownPart(onLevel: 0)
    let total = sums[0][plan.levels[0].ownSums.lowerBound]?.buffer
    for arena in (shared ?? []).joined() where arena !== total { NodeMemory.release(part, of: arena) }
  }

  /// The part that this rank adds up on a level.
  private func ownPart(onLevel level: Int) -> Range<Int> {
    plan.part(level: level, bucket: bucket, peer: plan.levels[level].own)
  }

  private func tag(onLevel level: Int, sum: Int) -> Int {
    MessageTag(.gradients, level: level, sum: sum, bucket: bucket).number
  }

  /// Adds one of this rank's sums to those of a level, and starts to send the other ranks their parts of it.
  /// - Parameter index: the index of the sum among those of this rank.
  private func send(_ index: Int, _ sum: ArenaPart<Float>, onLevel level: Int) throws {
    let exchange = plan.levels[level]
    sums[level][exchange.ownSums.lowerBound + index] = sum
    let rounded = level == 1 ? window?.round(sum, ownPart(onLevel: 0), slot: index) : nil
    let tag = tag(onLevel: level, sum: index)
    let arena = level == 0 ? shared?[exchange.own].firstIndex { $0 === sum.buffer } : nil
    if level == 0, shared != nil {
      precondition(arena != nil, "a sum is not in shared memory")
      atomicMemoryFence(ordering: .sequentiallyConsistent)
    }
    // Each rank starts with its successor, so that they do not all send to the first one.
    for distance in 1..<max(1, exchange.peers.count) {
      let peer = (exchange.own + distance) % exchange.peers.count
      let part = plan.part(level: level, bucket: bucket, peer: peer)
      if part.isEmpty { continue }
      if let arena {
        try sent.send(arena..<arena + 1, of: ownIndices, to: exchange.peers[peer], tag: tag)
      } else if let rounded {
        try sent.send(rounded.range(part), of: rounded.buffer, to: exchange.peers[peer], tag: tag)
      } else {
        try sent.send(sum.range(part), of: sum.buffer, to: exchange.peers[peer], tag: tag)
      }
    }
  }

  /// Performs a level's additions and passes on the results.
  private func finishLevel() throws {
    let part = ownPart(onLevel: currentLevel)
    let exchange = plan.levels[currentLevel]
    if currentLevel == 1 { window?.widenReceived() }
    if currentLevel == 0, let shared, !part.isEmpty {
      atomicMemoryFence(ordering: .sequentiallyConsistent)
      for (slot, sum) in incoming[0].enumerated() {
        sums[0][sum.index] = ArenaPart(buffer: shared[sum.peer][receivedIndices[slot]], offset: 0)
      }
    }
    for addition in exchange.additions where !part.isEmpty {
      Elementwise.add(
        sums[currentLevel][addition.right]!.values(part), into: sums[currentLevel][addition.left]!.values(part),
        workers: .callingThread)
    }
    let results = exchange.results.map { sums[currentLevel][$0] }
    if currentLevel + 1 < plan.levels.count {
      for (index, result) in results.enumerated() {
        if let result { try send(index, result, onLevel: currentLevel + 1) }
      }
    } else if let total = results[0], let first = sums[0][plan.levels[0].ownSums.lowerBound], !part.isEmpty {
      first.values(part).copy(total.values(part))
    }
  }
}
