import MessagePassing
import Tensors

extension KernelDistance {
  /// The same, with the subsets shared among ranks, all of which have all features. Collective.
  ///
  /// - Throws: on all ranks alike, `EvaluationError` as in one process; `MPIError`.
  public init(
    _ first: Features, _ second: Features, subsetSize: Int = 1000, subsetCount: Int = 100, seed: UInt64,
    over communicator: Communicator, workers: WorkerPool
  ) throws {
    try Self.check(first, second, subsetSize: subsetSize)
    let mine = communicator.share(of: subsetCount).map {
      Self.estimate(first, second, subset: $0, subsetSize: subsetSize, seed: seed, workers: workers)
    }
    let counts = communicator.shares(of: subsetCount).map(\.count)
    self.init(
      estimates: try communicator.allGather(mine, counts: counts), subsetSize: subsetSize, seed: seed)
  }
}
