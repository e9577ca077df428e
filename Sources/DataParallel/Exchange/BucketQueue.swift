/// A bucket of the arena that moves between ranks.
protocol ExchangedBucket: AnyObject {
  /// Starts to receive.
  func open() throws

  /// Moves on as far as that goes without waiting.
  /// - Returns: whether anything has moved.
  func advance() throws -> Bool

  /// Whether all that was to be sent and received is.
  var isDone: Bool { get }
}

/// Buckets that move one after the other, some of them at a time.
struct BucketQueue<Bucket: ExchangedBucket> {
  private let buckets: [Bucket]
  private let maximumOpenCount: Int
  private var open: [Bucket] = []
  private var openedCount: Int

  /// A queue in which none is left.
  /// - Parameter buckets: in the order in which they are opened, on all ranks.
  init(_ buckets: [Bucket], maximumOpenCount: Int) {
    self.buckets = buckets
    self.maximumOpenCount = maximumOpenCount
    openedCount = buckets.count
    open.reserveCapacity(maximumOpenCount)
  }

  /// Whether all buckets are done.
  var isDone: Bool { open.isEmpty && openedCount == buckets.count }

  /// Begins anew.
  mutating func begin() { openedCount = 0 }

  /// Moves on as far as that goes without waiting.
  /// - Returns: whether anything has moved.
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
