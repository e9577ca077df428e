import Tensors

/// Values of an array in the order in which its file stores them.
struct FieldBlock {
  let values: Tensor
  /// The number of values along each axis of the array.
  let lengths: [Int]
  let axes: FieldAxes

  /// Copies values to `target`, [N, H, W, C].
  /// - Parameters:
  ///   - levels: which of the array's channels are copied.
  ///   - channels: to which channels they are copied.
  ///   - sample: where the first sample goes.
  ///   - row: where the first row goes.
  func copy(levels: [Int], to channels: [Int], of target: Tensor, sample: Int, row: Int = 0) {
    let (height, width, channelCount) = (target.shape[1], target.shape[2], target.shape[3])
    let strides = lengths.indices.map { lengths[($0 + 1)...].reduce(1, *) }
    let channelStride = axes.channel.map { strides[$0] } ?? 0
    for n in 0..<lengths[axes.sample] {
      for (level, channel) in zip(levels, channels) {
        for y in 0..<lengths[axes.y] {
          var source = n * strides[axes.sample] + level * channelStride + y * strides[axes.y]
          var destination = (((sample + n) * height + row + y) * width) * channelCount + channel
          for _ in 0..<lengths[axes.x] {
            target[destination] = values[source]
            source += strides[axes.x]
            destination += channelCount
          }
        }
      }
    }
  }
}
