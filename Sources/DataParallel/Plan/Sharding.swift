import Ranks
import Tensors

/// The division of the arena among ranks: each rank owns a piece of every bucket.
///
/// A bucket is a range of blocks that is exchanged together. The backward pass finishes gradients from the end of the
/// arena to its start, bucket by bucket; since every rank owns a piece of each bucket, the load is balanced at any
/// moment. (With one contiguous shard per rank, all ranks would send to the same owner at the same time.)
package struct Sharding: Sendable, Equatable {
  /// A range of the arena that one rank owns.
  package struct Piece: Sendable, Equatable {
    /// In floats from the start of the arena.
    package let range: Range<Int>
    /// The start of the piece among all floats of its owner, whose pieces follow one another in the owner's buffers.
    package let offset: Int

    /// The range of the piece in its owner's buffers.
    var part: Range<Int> { offset..<offset + range.count }
  }

  package let grid: RankGrid
  /// The arena's buckets, from its start to its end.
  package let buckets: [Range<Int>]

  /// The size of a bucket in blocks if there are few ranks: a mebibyte, which hides a network's latency.
  private static let usualBlocksPerBucket = 64

  /// - Parameter arenaCount: the number of floats of the arena, in whole blocks.
  package init(arenaCount: Int, grid: RankGrid) {
    let blockSize = ParameterLayout.blockSize
    precondition(arenaCount.isMultiple(of: blockSize), "\(arenaCount) floats are not a whole number of blocks")
    // Every rank owns the same number of blocks in each bucket, except in the last one.
    let ranks = grid.rankCount
    let blocksPerBucket = (Self.usualBlocksPerBucket + ranks - 1) / ranks * ranks
    let size = blocksPerBucket * blockSize
    self.grid = grid
    buckets = stride(from: 0, to: arenaCount, by: size).map { $0..<min($0 + size, arenaCount) }
  }

  /// The maximum number of floats in a bucket.
  package var bucketSize: Int { buckets.first?.count ?? 0 }

  /// The number of buckets that may be in flight at a time: enough to keep a network busy with little memory.
  package var bucketsInFlight: Int { max(2, min(16, (1 << 22) / max(1, bucketSize))) }

  /// The buckets that overlap a range of the arena.
  package func buckets(touching range: Range<Int>) -> Range<Int> {
    guard !range.isEmpty, bucketSize > 0 else { return 0..<0 }
    return range.lowerBound / bucketSize..<(range.upperBound - 1) / bucketSize + 1
  }

  /// The part of a bucket that the ranks of one slot own, over all nodes.
  package func section(bucket: Int, slot: Int) -> Range<Int> {
    Self.part(slot, of: grid.slotCount, in: buckets[bucket])
  }

  /// The part of a bucket that a rank owns.
  package func piece(bucket: Int, rank: Int) -> Range<Int> {
    Self.part(
      grid.node(of: rank), of: grid.nodeCount, in: section(bucket: bucket, slot: grid.slot(of: rank)))
  }

  /// All pieces of a rank, from the start of the arena to its end.
  package func pieces(ofRank rank: Int) -> [Piece] {
    if grid.rankCount == 1 { return buckets.isEmpty ? [] : [Piece(range: 0..<buckets.last!.upperBound, offset: 0)] }
    var offset = 0
    return buckets.indices.compactMap { bucket in
      let range = piece(bucket: bucket, rank: rank)
      if range.isEmpty { return nil }
      defer { offset += range.count }
      return Piece(range: range, offset: offset)
    }
  }

  /// The number of floats that a rank owns.
  package func count(ofRank rank: Int) -> Int { pieces(ofRank: rank).reduce(0) { $0 + $1.range.count } }

  /// Reorders one number per block from the order of ranks, where each rank's blocks follow one another, to the order
  /// of the arena.
  package func inArenaOrder<Number>(_ numbers: [Number]) -> [Number] {
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

  /// One of `count` parts of a range of blocks, which are as even as possible.
  private static func part(_ index: Int, of count: Int, in range: Range<Int>) -> Range<Int> {
    let blockSize = ParameterLayout.blockSize
    let blocks = range.count / blockSize
    let start = range.lowerBound
    return start + blocks * index / count * blockSize..<start + blocks * (index + 1) / count * blockSize
  }
}
