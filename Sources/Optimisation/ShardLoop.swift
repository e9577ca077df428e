import Tensors

/// The number of blocks of `ParameterLayout.blockSize` floats that a worker takes at a time: enough to hide the
/// overhead.
private let blocksPerItem = 8

/// Calls `body` with ranges of whole blocks that cover a shard.
func forEachPart(ofShard count: Int, _ workers: WorkerPool, _ body: (Range<Int>) -> Void) {
  precondition(count % ParameterLayout.blockSize == 0, "a shard consists of whole blocks, but has \(count) floats")
  workers.forEachRange(count, grain: blocksPerItem * ParameterLayout.blockSize, body)
}
