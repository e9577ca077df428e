import MessagePassing
import Tensors

extension FeatureStatistics {
  /// Images that are exchanged at a time: some MiB of features.
  private static let block = 512

  /// The statistics of images whose features the ranks computed, each those of its share: the same bits on any number
  /// of ranks, on all of them. Collective.
  ///
  /// Features are exchanged, some images at a time, and each rank adds all of them, in order, to rows of Σ f·fᵀ that it
  /// owns. The work is divided evenly, and only one matrix is ever sent.
  ///
  /// - Parameters:
  ///   - features: of images `communicator.share(of: count)`.
  ///   - count: images on all ranks.
  /// - Throws: on all ranks, `JobFailure` if features on one are not finite or of another dimension,
  ///   `EvaluationError` for fewer than two images; `MPIError`.
  public init(share features: Features, of count: Int, over communicator: Communicator, workers: WorkerPool) throws {
    let dimension = try features.commonDimension(in: count, over: communicator)
    let strips = Self.strips(of: dimension, over: communicator.size)
    var sums = FeatureSums(dimension: dimension, rows: strips[communicator.rank])
    for start in stride(from: 0, to: count, by: Self.block) {
      let images = start..<min(start + Self.block, count)
      try features.gather(images, of: count, over: communicator).withUnsafeBufferPointer {
        sums.add($0.baseAddress!, count: images.count, workers: workers)
      }
    }
    let products = try communicator.allGather(sums.products, counts: strips.map { $0.count * dimension })
    try self.init(count: count, sum: sums.sum, products: products)
  }

  /// Consecutive rows of the upper triangle, of nearly equal areas.
  private static func strips(of dimension: Int, over size: Int) -> [Range<Int>] {
    let bounds = (0...size).map { rank in
      // All ranks find the same: subtraction, division and square root are rounded correctly everywhere.
      dimension - Int((Double(dimension) * (Double(size - rank) / Double(size)).squareRoot()).rounded())
    }
    return (0..<size).map { bounds[$0]..<bounds[$0 + 1] }
  }
}

extension Features {
  /// The features of all images, on every rank. Collective.
  ///
  /// - Parameters:
  ///   - share: of images `communicator.share(of: count)`.
  ///   - count: images on all ranks.
  /// - Throws: on all ranks, `JobFailure` if features on one are not finite or of another dimension; `MPIError`.
  public init(gathering share: Features, of count: Int, over communicator: Communicator) throws {
    let dimension = try share.commonDimension(in: count, over: communicator)
    self.init(try share.gather(0..<count, of: count, over: communicator), dimension: dimension)
  }

  /// The dimension on all ranks, once they have agreed that their shares are usable.
  fileprivate func commonDimension(in count: Int, over communicator: Communicator) throws -> Int {
    precondition(self.count == communicator.share(of: count).count, "each rank has the features of its share")
    let dimensions = try communicator.allGather(dimension)
    try communicator.together {
      if dimension != dimensions[0] { throw EvaluationError.dimensionsDiffer(dimensions[0], dimension) }
      try checkFinite()
    }
    return dimensions[0]
  }

  /// The features of some images of all ranks, of which this has those of its share.
  fileprivate func gather(
    _ images: Range<Int>, of count: Int, over communicator: Communicator
  ) throws(MPIError) -> [Float] {
    let parts = communicator.shares(of: count).map { $0.clamped(to: images) }
    let mine = parts[communicator.rank]
    let first = mine.isEmpty ? 0 : (mine.lowerBound - communicator.share(of: count).lowerBound) * dimension
    return try communicator.allGather(
      Array(values[first..<first + mine.count * dimension]), counts: parts.map { $0.count * dimension })
  }
}
