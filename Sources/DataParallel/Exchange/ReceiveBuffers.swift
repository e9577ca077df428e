import Kernels
import Tensors

/// A part of an arena, stored in a buffer.
struct ArenaPart<Element: BitwiseCopyable> {
  let buffer: Buffer<Element>
  /// Element i of the arena is element i + `offset` of the buffer.
  let offset: Int

  func range(_ part: Range<Int>) -> Range<Int> { part.lowerBound + offset..<part.upperBound + offset }

  func values(_ part: Range<Int>) -> TypedTensor<Element> { buffer[range(part)] }
}

/// Memory for the received data of a gradient bucket.
final class ReceiveBuffers {
  /// One buffer per level, with a slot for each incoming sum.
  let buffers: [FloatBuffer]
  /// The number of elements of a slot, per level.
  private let strides: [Int]
  /// Buffers for sums that are rounded for transfer between nodes: the sent sums, with a slot for each sum of the first
  /// level, and the received sums, laid out like the second level's buffer.
  let rounded: (sent: Buffer<UInt16>, received: Buffer<UInt16>)?

  /// - Parameter receivesInNode: whether sums are received from ranks of this node; where ranks share memory, they are
  ///   not.
  init(_ plan: ReductionPlan, roundsBetweenNodes: Bool, receivesInNode: Bool) {
    let buckets = plan.sharding.buckets.indices
    strides = plan.levels.indices.map { level in
      buckets.map { plan.part(level: level, bucket: $0, peer: plan.levels[level].own).count }.max() ?? 0
    }
    buffers = plan.levels.indices.map { [strides] index in
      let level = plan.levels[index]
      return FloatBuffer(
        count: index == 0 && !receivesInNode ? 0 : (level.sumCount - level.ownSums.count) * strides[index])
    }
    rounded =
      roundsBetweenNodes && plan.levels[1].peers.count > 1
      ? (Buffer(count: plan.levels[0].results.count * strides[0]), Buffer(count: buffers[1].count)) : nil
  }

  /// The slot that receives a part of a sum.
  func slot(_ index: Int, ofLevel level: Int, for part: Range<Int>) -> ArenaPart<Float> {
    ArenaPart(buffer: buffers[level], offset: index * strides[level] - part.lowerBound)
  }

  /// Rounds this rank's section of a sum, if sums are rounded for transfer.
  func round(_ sum: ArenaPart<Float>, _ section: Range<Int>, slot: Int) -> ArenaPart<UInt16>? {
    guard let rounded else { return nil }
    let result = ArenaPart(buffer: rounded.sent, offset: slot * strides[0] - section.lowerBound)
    BFloat16.round(sum.values(section), into: result.values(section))
    return result
  }

  /// Converts received rounded sums to floats, in the buffer where they are added.
  func widenReceived() {
    guard let rounded else { return }
    BFloat16.widen(TypedTensor(rounded.received), into: Tensor(buffers[1]))
  }
}

/// The windows that no bucket is using.
final class ReceiveBufferPool {
  private var free: [ReceiveBuffers]

  init(_ windows: [ReceiveBuffers]) { free = windows }

  func take() -> ReceiveBuffers { free.removeLast() }

  func giveBack(_ window: ReceiveBuffers) { free.append(window) }
}
