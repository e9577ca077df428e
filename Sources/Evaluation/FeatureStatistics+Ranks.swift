import MessagePassing
import Tensors

extension FeatureStatistics {
  /// The number of images whose features are exchanged at a time: some MiB.
  private static let block = 512

  /// The statistics of images whose features are distributed over the ranks, on rank 0; nil on other ranks.
  /// Bit-identical for any number of ranks. Collective.
  ///
  /// Features are exchanged, some images at a time, and each rank adds all of them, in order, to its rows of Σ f·fᵀ.
  /// The work is divided evenly, and only one matrix is sent in total.
  ///
  /// - Parameters:
  ///   - features: the features of the images `communicator.share(of: count)`.
  ///   - count: the number of images on all ranks.
  /// - Throws: on all ranks, `JobFailure` if features on any are not finite or have a different dimension,
  ///   `EvaluationError` for fewer than two images; `MPIError`.
  package init?(share features: Features, of count: Int, over communicator: Communicator, workers: WorkerPool) throws {
    let dimension = try features.commonDimension(in: count, over: communicator)
    try Self.check(count: count)
    let strips = Self.strips(of: dimension, over: communicator.size)
    let sums = FeatureSums(dimension: dimension, rows: strips[communicator.rank])
    for start in stride(from: 0, to: count, by: Self.block) {
      let images = start..<min(start + Self.block, count)
      sums.add(try features.gather(images, of: count, over: communicator), workers: workers)
    }
    let products = communicator.rank == 0 ? TypedTensor<Double>(uninitialised: [dimension, dimension]) : nil
    try communicator.gather(
      sums.products, as: strips.map { $0.lowerBound * dimension..<$0.upperBound * dimension }, of: products, to: 0)
    guard let products else { return nil }
    try self.init(count: count, sum: sums.sum.elements, products: products.elements)
  }

  /// Consecutive rows of the upper triangle, of nearly equal areas.
  private static func strips(of dimension: Int, over size: Int) -> [Range<Int>] {
    let bounds = (0...size).map { rank in
      // All ranks get the same result, since subtraction, division and square root are correctly rounded everywhere.
      dimension - Int((Double(dimension) * (Double(size - rank) / Double(size)).squareRoot()).rounded())
    }
    return (0..<size).map { bounds[$0]..<bounds[$0 + 1] }
  }
}

extension Features {
  /// The features of all images, on rank 0; nil on other ranks. Collective.
  ///
  /// - Parameters:
  ///   - share: the features of the images `communicator.share(of: count)`.
  ///   - count: the number of images on all ranks.
  /// - Throws: on all ranks, `JobFailure` if features on any are not finite or have a different dimension; `MPIError`.
  package init?(gathering share: Features, of count: Int, over communicator: Communicator) throws {
    let dimension = try share.commonDimension(in: count, over: communicator)
    let all = communicator.rank == 0 ? Tensor(uninitialised: [count, dimension]) : nil
    try communicator.gather(
      share.tensor, as: communicator.shares(of: count).map { $0.lowerBound * dimension..<$0.upperBound * dimension },
      of: all, to: 0)
    guard let all else { return nil }
    self.init(all)
  }

  /// The common dimension of all ranks' features, once all shares have been checked.
  fileprivate func commonDimension(in count: Int, over communicator: Communicator) throws -> Int {
    precondition(self.count == communicator.share(of: count).count, "each rank must have the features of its share")
    let dimensions = try communicator.allGather(dimension)
    try communicator.together {
      if dimension != dimensions[0] { throw EvaluationError.dimensionsDiffer(dimensions[0], dimension) }
      try checkFinite()
    }
    return dimensions[0]
  }

  /// The features of some images of all ranks, of which this has those of its share, [images, D]; on every rank.
  fileprivate func gather(
    _ images: Range<Int>, of count: Int, over communicator: Communicator
  ) throws(MPIError) -> Tensor {
    let parts = communicator.shares(of: count).map { $0.clamped(to: images).moved(by: -images.lowerBound) }
    let mine = parts[communicator.rank]
    let all = Tensor(uninitialised: [images.count, dimension])
    let first = images.lowerBound - communicator.share(of: count).lowerBound
    if !mine.isEmpty { all[mine].copy(tensor[mine.moved(by: first)]) }
    try communicator.allGather(
      parts.map { $0.lowerBound * dimension..<$0.upperBound * dimension }, of: all.buffer)
    return all
  }
}
