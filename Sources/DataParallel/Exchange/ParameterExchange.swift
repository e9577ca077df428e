import MessagePassing
import Synchronization
import Tensors

/// Gives every rank all of an arena of which each owns its pieces: the way of `GradientExchange` backwards. The ranks of
/// one slot on all nodes exchange their pieces, and then the ranks of a node their sections.
///
/// Buckets come in the order of the arena, which is that in which a forward pass needs them.
package final class ParameterExchange: BackgroundWork, @unchecked Sendable {
  private let buckets: [Bucket]
  private var arena: UnsafeMutablePointer<Float>?
  private var openedCount = 0
  private var open: [Bucket] = []
  private let windowSize: Int
  private let arrived: Atomic<Int>
  private let isDoneFlag = Atomic<Bool>(true)

  package init(sharding: Sharding, rank: Int, communicator: Communicator) {
    buckets = sharding.buckets.indices.map { Bucket(number: $0, sharding, rank: rank, communicator) }
    windowSize = sharding.bucketsInFlight
    arrived = Atomic(buckets.count)
    open.reserveCapacity(windowSize)
  }

  /// How many buckets, from the start of the arena, are whole. May be asked from any thread.
  package var arrivedCount: Int { arrived.load(ordering: .acquiring) }

  package var isDone: Bool { isDoneFlag.load(ordering: .acquiring) }

  /// Begins with an arena, which must not change until all is done, and whose other ranks' pieces not be read before they
  /// have arrived. Whatever was begun before must be done.
  package func begin(_ arena: UnsafeMutablePointer<Float>) {
    precondition(isDone, "another arena is still under way")
    self.arena = arena
    openedCount = 0
    for bucket in buckets { bucket.reset() }
    arrived.store(0, ordering: .releasing)
    isDoneFlag.store(buckets.isEmpty, ordering: .releasing)
  }

  package func advance() throws -> Bool {
    guard let arena, !isDone else { return false }
    var hasMoved = false
    while open.count < windowSize && openedCount < buckets.count {
      try buckets[openedCount].open(arena)
      open.append(buckets[openedCount])
      openedCount += 1
      hasMoved = true
    }
    for bucket in open where try bucket.advance(arena) { hasMoved = true }
    if hasMoved {
      var count = arrived.load(ordering: .relaxed)
      while count < buckets.count && buckets[count].isWhole { count += 1 }
      arrived.store(count, ordering: .releasing)
    }
    open.removeAll { $0.isDone }
    if open.isEmpty && openedCount == buckets.count { isDoneFlag.store(true, ordering: .releasing) }
    return hasMoved
  }

  /// A bucket on its way.
  private final class Bucket {
    private let number: Int
    private let sharding: Sharding
    private let rank: Int
    private let betweenNodes: MessageSet
    private let insideNode: MessageSet
    private let sent: MessageSet
    private var hasSection = false
    private(set) var isWhole = false
    private(set) var isDone = false

    init(number: Int, _ sharding: Sharding, rank: Int, _ communicator: Communicator) {
      self.number = number
      self.sharding = sharding
      self.rank = rank
      let grid = sharding.grid
      betweenNodes = MessageSet(communicator, capacity: grid.nodeCount - 1)
      insideNode = MessageSet(communicator, capacity: grid.slotCount - 1)
      sent = MessageSet(communicator, capacity: grid.nodeCount + grid.slotCount - 2)
    }

    func reset() {
      hasSection = false
      isWhole = false
      isDone = false
    }

    func open(_ arena: UnsafeMutablePointer<Float>) throws {
      let grid = sharding.grid
      for other in grid.ranks(ofSlot: grid.slot(of: rank)) where other != rank {
        try receive(sharding.piece(bucket: number, rank: other), of: arena, from: other, level: 1, in: betweenNodes)
      }
      for other in grid.ranks(ofNode: grid.node(of: rank)) where other != rank {
        let section = sharding.section(bucket: number, slot: grid.slot(of: other))
        try receive(section, of: arena, from: other, level: 0, in: insideNode)
      }
      try send(
        sharding.piece(bucket: number, rank: rank), of: arena, to: grid.ranks(ofSlot: grid.slot(of: rank)), level: 1)
    }

    func advance(_ arena: UnsafeMutablePointer<Float>) throws -> Bool {
      var hasMoved = false
      if !hasSection {
        guard try betweenNodes.advance() else { return false }
        let grid = sharding.grid
        let section = sharding.section(bucket: number, slot: grid.slot(of: rank))
        try send(section, of: arena, to: grid.ranks(ofNode: grid.node(of: rank)), level: 0)
        hasSection = true
        hasMoved = true
      }
      if !isWhole {
        guard try insideNode.advance() else { return hasMoved }
        isWhole = true
        hasMoved = true
      }
      guard try sent.advance() else { return hasMoved }
      isDone = true
      return true
    }

    private func receive(
      _ range: Range<Int>, of arena: UnsafeMutablePointer<Float>, from other: Int, level: Int, in messages: MessageSet
    ) throws {
      if range.isEmpty { return }
      try messages.receive(
        arena + range.lowerBound, count: range.count, from: other,
        tag: MessageTag(.parameters, level: level, bucket: number).number)
    }

    /// - Parameter ranks: all that exchange, this one included; it begins with those after it.
    private func send(_ range: Range<Int>, of arena: UnsafeMutablePointer<Float>, to ranks: [Int], level: Int) throws {
      guard !range.isEmpty, let own = ranks.firstIndex(of: rank) else { return }
      for distance in 1..<max(1, ranks.count) {
        try sent.send(
          arena + range.lowerBound, count: range.count, to: ranks[(own + distance) % ranks.count],
          tag: MessageTag(.parameters, level: level, bucket: number).number)
      }
    }
  }
}
