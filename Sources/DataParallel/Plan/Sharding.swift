import Ranks
import Tensors

/// Which rank owns what of the arena: a piece of every bucket.
///
/// A bucket is a range of blocks that moves between ranks together. The backward pass finishes gradients from the end of
/// the arena to its start, bucket by bucket; since every rank owns a piece of each bucket, all ranks send and receive
/// alike at any moment. (With one contiguous shard per rank, all would send to the same owner at a time.)
public struct Sharding: Sendable, Equatable {
  /// A range of the arena that one rank owns.
  public struct Piece: Sendable, Equatable {
    /// Floats from the start of the arena.
    public let range: Range<Int>
    /// Where it begins among the floats that its owner owns, which lie one after the other in the owner's buffers.
    public let offset: Int
  }

  public let grid: RankGrid
  /// The arena's buckets, from its start to its end.
  public let buckets: [Range<Int>]

  /// Blocks of a bucket where there are few ranks: a mebibyte, which hides a network's latency.
  private static let usualBlocksPerBucket = 64

  /// - Parameter arenaCount: floats of the arena, in whole blocks.
  public init(arenaCount: Int, grid: RankGrid) {
    let blockSize = ParameterLayout.blockSize
    precondition(arenaCount.isMultiple(of: blockSize), "an arena is made of whole blocks, not of \(arenaCount) floats")
    // Every rank has as many blocks of a bucket as every other, save of the last bucket.
    let ranks = grid.rankCount
    let blocksPerBucket = (Self.usualBlocksPerBucket + ranks - 1) / ranks * ranks
    let size = blocksPerBucket * blockSize
    self.grid = grid
    buckets = stride(from: 0, to: arenaCount, by: size).map { $0..<min($0 + size, arenaCount) }
  }

  /// The most floats that a bucket has.
  public var bucketSize: Int { buckets.first?.count ?? 0 }

  /// How many buckets may be on their way to a rank together: enough to keep a network busy, in little memory.
  public var bucketsInFlight: Int { max(2, min(16, (1 << 22) / max(1, bucketSize))) }

  /// The buckets that hold elements of a range of the arena.
  public func buckets(touching range: Range<Int>) -> Range<Int> {
    guard !range.isEmpty, bucketSize > 0 else { return 0..<0 }
    return range.lowerBound / bucketSize..<(range.upperBound - 1) / bucketSize + 1
  }

  /// What the ranks of one slot own of a bucket, on all nodes together.
  public func section(bucket: Int, slot: Int) -> Range<Int> {
    Self.part(slot, of: grid.slotCount, in: buckets[bucket])
  }

  /// What a rank owns of a bucket.
  public func piece(bucket: Int, rank: Int) -> Range<Int> {
    Self.part(
      grid.node(of: rank), of: grid.nodeCount, in: section(bucket: bucket, slot: grid.slot(of: rank)))
  }

  /// All that a rank owns, from the start of the arena to its end.
  public func pieces(ofRank rank: Int) -> [Piece] {
    if grid.rankCount == 1 { return buckets.isEmpty ? [] : [Piece(range: 0..<buckets.last!.upperBound, offset: 0)] }
    var offset = 0
    return buckets.indices.compactMap { bucket in
      let range = piece(bucket: bucket, rank: rank)
      if range.isEmpty { return nil }
      defer { offset += range.count }
      return Piece(range: range, offset: offset)
    }
  }

  /// Floats that a rank owns.
  public func count(ofRank rank: Int) -> Int { pieces(ofRank: rank).reduce(0) { $0 + $1.range.count } }

  /// Numbers of all blocks in the order of the arena, from those of each rank's blocks one rank after the other.
  public func inArenaOrder<Number>(_ numbers: [Number]) -> [Number] {
    var all = numbers
    var next = 0
    for rank in 0..<grid.rankCount {
      for piece in pieces(ofRank: rank) {
        let blocks = piece.range.count / ParameterLayout.blockSize
        let first = piece.range.lowerBound / ParameterLayout.blockSize
        all.replaceSubrange(first..<first + blocks, with: numbers[next..<next + blocks])
        next += blocks
      }
    }
    return all
  }

  /// One of `count` parts of a run of blocks, as even as possible.
  private static func part(_ index: Int, of count: Int, in range: Range<Int>) -> Range<Int> {
    let blockSize = ParameterLayout.blockSize
    let blocks = range.count / blockSize
    let start = range.lowerBound
    return start + blocks * index / count * blockSize..<start + blocks * (index + 1) / count * blockSize
  }
}
