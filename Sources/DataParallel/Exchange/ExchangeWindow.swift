import Kernels
import Tensors

/// A part of an arena, somewhere in a buffer.
struct ArenaPart<Element: BitwiseCopyable> {
  let buffer: Buffer<Element>
  /// Element i of the arena is element i + `offset` of the buffer.
  let offset: Int

  func range(_ part: Range<Int>) -> Range<Int> { part.lowerBound + offset..<part.upperBound + offset }

  func pointer(to part: Range<Int>) -> UnsafeMutablePointer<Element> { buffer.pointer + (part.lowerBound + offset) }
}

/// Memory for what is received of a bucket of the gradients.
final class ExchangeWindow {
  /// Per level, with a slot for each sum that comes in.
  let buffers: [FloatBuffer]
  /// Elements of a level's slot.
  private let strides: [Int]
  /// Where sums travel rounded between nodes: what is sent, a slot of the first level for each sum, and what is received,
  /// laid out as in the second level's buffer.
  let rounded: (sent: Buffer<UInt16>, received: Buffer<UInt16>)?

  init(_ plan: ReductionPlan, roundsBetweenNodes: Bool) {
    let buckets = plan.sharding.buckets.indices
    strides = plan.levels.indices.map { level in
      buckets.map { plan.part(level: level, bucket: $0, peer: plan.levels[level].own).count }.max() ?? 0
    }
    buffers = zip(plan.levels, strides).map { level, stride in
      FloatBuffer(count: (level.sumCount - level.ownSums.count) * stride)
    }
    rounded =
      roundsBetweenNodes && plan.levels[1].peers.count > 1
      ? (Buffer(count: plan.levels[0].results.count * strides[0]), Buffer(count: buffers[1].count)) : nil
  }

  /// Where a part of a sum is received.
  func slot(_ index: Int, ofLevel level: Int, for part: Range<Int>) -> ArenaPart<Float> {
    ArenaPart(buffer: buffers[level], offset: index * strides[level] - part.lowerBound)
  }

  /// Rounds this rank's section of a sum, if sums travel rounded.
  func round(_ sum: ArenaPart<Float>, _ section: Range<Int>, slot: Int) -> ArenaPart<UInt16>? {
    guard let rounded else { return nil }
    let result = ArenaPart(buffer: rounded.sent, offset: slot * strides[0] - section.lowerBound)
    BFloat16.round(sum.pointer(to: section), into: result.pointer(to: section), count: section.count)
    return result
  }

  /// Brings what was received rounded to where it is added up.
  func widenReceived() {
    guard let rounded else { return }
    BFloat16.widen(rounded.received.pointer, into: buffers[1].pointer, count: buffers[1].count)
  }
}

/// The windows that no bucket uses.
final class WindowPool {
  private var free: [ExchangeWindow]

  init(_ windows: [ExchangeWindow]) { free = windows }

  func take() -> ExchangeWindow { free.removeLast() }

  func giveBack(_ window: ExchangeWindow) { free.append(window) }
}
