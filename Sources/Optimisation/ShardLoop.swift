import Tensors

/// Blocks of `ParameterLayout.blockSize` floats that one worker takes at a time: enough to hide the hand-over.
private let blocksPerItem = 8

/// Calls `body` with ranges of whole blocks that cover a shard.
func forEachPart(ofShard count: Int, _ workers: WorkerPool, _ body: (Range<Int>) -> Void) {
  precondition(count % ParameterLayout.blockSize == 0, "a shard is made of whole blocks, not of \(count) floats")
  workers.forEachRange(count, grain: blocksPerItem * ParameterLayout.blockSize, body)
}
