import Kernels
import Tensors

// Tensors in parts: several [N, …, C₁], [N, …, C₂], … that count as one [N, …, C₁ + C₂ + …], joined along the channels.
// A U-Net's skip connections are such, and their operations read and write the parts where they lie.

extension Tape {
  /// The shape that variables have together.
  func joinedShape(_ parts: [Variable]) -> [Int] {
    let rest = parts[0].shape.dropLast()
    precondition(parts.allSatisfy { $0.shape.dropLast() == rest }, "only the numbers of channels of parts differ")
    return rest + [parts.reduce(0) { $0 + $1.value.channels }]
  }
}

extension Tensor {
  /// The length of the last axis.
  var channels: Int { shape[shape.count - 1] }

  /// Seen as a matrix [rows, channels].
  var rowMatrix: MatrixView { MatrixView(pointer, rowStride: channels) }

  var channelPart: ChannelPart { ChannelPart(pointer, channels: channels) }
}
