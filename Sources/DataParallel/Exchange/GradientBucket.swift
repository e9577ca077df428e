import Kernels
import MessagePassing
import Tensors

/// A gradient bucket that is exchanged level by level of a `ReductionPlan`.
final class GradientBucket: ExchangedBucket {
  private let bucket: Int
  private let plan: ReductionPlan
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

  init(_ bucket: Int, _ plan: ReductionPlan, _ communicator: Communicator, _ windows: ReceiveBufferPool) {
    self.bucket = bucket
    self.plan = plan
    self.windows = windows
    let levels = plan.levels
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
      let peers = exchange.peers
      var slot = 0
      for distance in 1..<max(1, peers.count) {
        let peer = (exchange.own + peers.count - distance) % peers.count
        for (sum, index) in exchange.sums[peer].enumerated() {
          let incoming = window.slot(slot, ofLevel: level, for: part)
          sums[level][index] = incoming
          let (range, tag) = (incoming.range(part), tag(onLevel: level, sum: sum))
          if level == 1, let rounded = window.rounded {
            try received[level].receive(range, of: rounded.received, from: peers[peer], tag: tag)
          } else {
            try received[level].receive(range, of: incoming.buffer, from: peers[peer], tag: tag)
          }
          slot += 1
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
    isDone = true
    return true
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
    // Each rank starts with its successor, so that they do not all send to the first one.
    for distance in 1..<max(1, exchange.peers.count) {
      let peer = (exchange.own + distance) % exchange.peers.count
      let part = plan.part(level: level, bucket: bucket, peer: peer)
      if part.isEmpty { continue }
      if let rounded {
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
