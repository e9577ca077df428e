/// A bucket of the arena that is exchanged between ranks.
protocol ExchangedBucket: PolledWork {
  /// Starts receiving.
  func open() throws
}

/// Buckets that are exchanged in order, a limited number at a time.
struct BucketQueue<Bucket: ExchangedBucket> {
  private let buckets: [Bucket]
  private let maximumOpenCount: Int
  private var open: [Bucket] = []
  private var openedCount: Int

  /// An empty queue; `begin` starts it.
  /// - Parameter buckets: the buckets in the order in which they are opened, the same on all ranks.
  init(_ buckets: [Bucket], maximumOpenCount: Int) {
    self.buckets = buckets
    self.maximumOpenCount = maximumOpenCount
    openedCount = buckets.count
    open.reserveCapacity(maximumOpenCount)
  }

  /// Whether all buckets are done.
  var isDone: Bool { open.isEmpty && openedCount == buckets.count }

  /// Restarts with the first bucket.
  mutating func begin() { openedCount = 0 }

  /// Makes as much progress as possible without waiting.
  /// - Returns: whether there was any progress.
  mutating func advance() throws -> Bool {
    var hasMoved = false
    while open.count < maximumOpenCount && openedCount < buckets.count {
      let bucket = buckets[openedCount]
      try bucket.open()
      open.append(bucket)
      openedCount += 1
      hasMoved = true
    }
    for bucket in open where try bucket.advance() { hasMoved = true }
    open.removeAll(where: \.isDone)
    return hasMoved
  }
}
