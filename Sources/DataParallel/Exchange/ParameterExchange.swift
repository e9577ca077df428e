import MessagePassing
import Synchronization
import Tensors

/// Completes an arena on every rank from the pieces that each rank owns: the reverse of `GradientExchange`. The ranks
/// of one slot on all nodes exchange their pieces, then the ranks of each node exchange their sections.
///
/// Buckets are exchanged in the order of the arena, which is the order in which a forward pass needs them.
package final class ParameterExchange: BackgroundWork, @unchecked Sendable {
  private let buckets: [Bucket]
  private var queue: BucketQueue<Bucket>
  private let arrived: Atomic<Int>
  private let isDoneFlag = Atomic<Bool>(true)

  package init(sharding: Sharding, rank: Int, communicator: Communicator) {
    buckets = sharding.buckets.indices.map { Bucket($0, sharding, rank: rank, communicator) }
    queue = BucketQueue(buckets, maximumOpenCount: sharding.bucketsInFlight)
    arrived = Atomic(buckets.count)
  }

  /// The number of complete buckets, from the start of the arena. May be read from any thread.
  package var arrivedCount: Int { arrived.load(ordering: .acquiring) }

  package var isDone: Bool { isDoneFlag.load(ordering: .acquiring) }

  /// Starts the exchange of an arena. Until it is done, this rank's pieces must not change, and the other ranks' pieces
  /// must not be read before they have arrived. Any earlier exchange must be done.
  /// - Parameter isShared: whether the ranks of a node have the same arena in memory. Messages inside the node are empty
  ///   then: they say that a section is complete.
  package func begin(_ arena: Arena, isShared: Bool = false) {
    precondition(isDone, "another arena is still being exchanged")
    for bucket in buckets { bucket.begin(arena.buffer, isShared: isShared) }
    queue.begin()
    arrived.store(0, ordering: .releasing)
    isDoneFlag.store(buckets.isEmpty, ordering: .releasing)
  }

  package func advance() throws -> Bool {
    if isDone { return false }
    let hasMoved = try queue.advance()
    if hasMoved {
      var count = arrived.load(ordering: .relaxed)
      while count < buckets.count && buckets[count].isWhole { count += 1 }
      arrived.store(count, ordering: .releasing)
    }
    if queue.isDone { isDoneFlag.store(true, ordering: .releasing) }
    return hasMoved
  }

  /// A bucket that is being exchanged.
  private final class Bucket: ExchangedBucket {
    private let index: Int
    private let sharding: Sharding
    private let rank: Int
    private let betweenNodes: MessageSet
    private let insideNode: MessageSet
    private let sent: MessageSet
    private var arena: FloatBuffer?
    private var isShared = false
    private var hasSection = false
    private(set) var isWhole = false
    private(set) var isDone = false

    init(_ index: Int, _ sharding: Sharding, rank: Int, _ communicator: Communicator) {
      self.index = index
      self.sharding = sharding
      self.rank = rank
      let grid = sharding.grid
      betweenNodes = MessageSet(communicator, capacity: grid.nodeCount - 1)
      insideNode = MessageSet(communicator, capacity: grid.slotCount - 1)
      sent = MessageSet(communicator, capacity: grid.nodeCount + grid.slotCount - 2)
    }

    func begin(_ arena: FloatBuffer, isShared: Bool) {
      self.arena = arena
      self.isShared = isShared
      hasSection = false
      isWhole = false
      isDone = false
    }

    func open() throws {
      let grid = sharding.grid
      for other in grid.ranks(ofSlot: grid.slot(of: rank)) where other != rank {
        try receive(sharding.piece(bucket: index, rank: other), from: other, level: 1, in: betweenNodes)
      }
      for other in grid.ranks(ofNode: grid.node(of: rank)) where other != rank {
        let section = sharding.section(bucket: index, slot: grid.slot(of: other))
        try receive(section, from: other, level: 0, in: insideNode)
      }
      try send(sharding.piece(bucket: index, rank: rank), to: grid.ranks(ofSlot: grid.slot(of: rank)), level: 1)
    }

    func advance() throws -> Bool {
      var hasMoved = false
      if !hasSection {
        guard try betweenNodes.advance() else { return false }
        let grid = sharding.grid
        let section = sharding.section(bucket: index, slot: grid.slot(of: rank))
        try send(section, to: grid.ranks(ofNode: grid.node(of: rank)), level: 0)
        hasSection = true
        hasMoved = true
      }
      if !isWhole {
        guard try insideNode.advance() else { return hasMoved }
        if isShared { atomicMemoryFence(ordering: .sequentiallyConsistent) }
        isWhole = true
        hasMoved = true
      }
      guard try sent.advance() else { return hasMoved }
      arena = nil
      isDone = true
      return true
    }

    private func receive(_ range: Range<Int>, from other: Int, level: Int, in messages: MessageSet) throws {
      guard let arena, !range.isEmpty else { return }
      try messages.receive(
        content(range, level), of: arena, from: other,
        tag: MessageTag(.parameters, level: level, bucket: index).number)
    }

    /// What a message contains that stands for a range of the arena.
    private func content(_ range: Range<Int>, _ level: Int) -> Range<Int> {
      level == 0 && isShared ? range.lowerBound..<range.lowerBound : range
    }

    /// - Parameter ranks: all ranks that take part, this one included; it starts with its successor.
    private func send(_ range: Range<Int>, to ranks: [Int], level: Int) throws {
      guard let arena, !range.isEmpty, let own = ranks.firstIndex(of: rank) else { return }
      if level == 0, isShared { atomicMemoryFence(ordering: .sequentiallyConsistent) }
      for distance in 1..<max(1, ranks.count) {
        try sent.send(
          content(range, level), of: arena, to: ranks[(own + distance) % ranks.count],
          tag: MessageTag(.parameters, level: level, bucket: index).number)
      }
    }
  }
}
