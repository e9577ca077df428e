import Network
import Tensors

/// Counts the arithmetic of a U-Net, to compare its time with.
package enum ArithmeticCount {
  /// The multiplications and additions of one image's forward pass in convolutions, matrices and attention, with direct
  /// convolutions: what is usually called its FLOPs. A training step has three times as many. The program performs
  /// fewer, since Winograd's algorithm saves most multiplications of 3x3 convolutions.
  package static func forwardPass(of network: UNet) -> Int {
    var count = 0
    for entry in network.layout.entries where entry.order != .c {
      let pixels =
        ParameterResolution(of: entry.name, in: network.configuration)?.pixels(in: network.configuration) ?? 1
      count += 2 * pixels * entry.count
      // Attention multiplies all pixels' queries by all keys, and the weights by the values.
      if entry.name.hasSuffix(".to_q.weight") { count += 4 * pixels * pixels * entry.shape[1] }
    }
    return count
  }
}
