import Kernels
import Tensors

/// The floats that a network's passes need per image, computed from its shape alone. Temporary memory of kernels is not
/// counted, so this is slightly less than what a pass needs.
package struct ActivationCount: Sendable, Equatable {
  /// For a forward pass that keeps what the backward pass needs, and the gradients of the largest values.
  package let training: Double
  /// The same if blocks are recomputed (`Tape.recomputing`).
  package let trainingWithRecomputedBlocks: Double
  /// For a forward pass that keeps only what the decoder needs.
  package let inference: Double

  /// - Parameter layout: the layout of a network with this configuration, or of a classifier made of its encoder.
  package init(_ layout: ParameterLayout, _ configuration: UNetConfiguration) {
    var (kept, ofBlocks, ofSkips, largest, largestBlock, block) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for entry in layout.entries where entry.order != .c {
      guard let resolution = ParameterResolution(of: entry.name, in: configuration) else { continue }
      let channels = entry.shape[entry.shape.count - 1]
      let result = Double(resolution.pixels(in: configuration)) * Double(channels)
      let isInside = [".conv1.", ".to_q.", ".to_k.", ".to_v."].contains(where: entry.name.contains)
      // The backward pass does not need the terms of a sum.
      if entry.name.contains(".conv_shortcut.") { continue }
      // Attention keeps its values in addition to its queries and keys.
      let values = entry.name.contains(".to_q.") ? 2 * result : result
      largest = max(largest, result)
      kept += values
      if entry.name.contains(".conv1.") { block = 0 }
      block += values
      largestBlock = max(largestBlock, block)
      if !isInside {
        ofBlocks += result
        if entry.name.hasPrefix("down_blocks") || entry.name.hasPrefix("conv_in") { ofSkips += result }
      }
    }
    // A value, its gradient, and the normalised value or the gradient through the normalisation. A value kept in 16 bits
    // takes half of its floats, and all of them again while it is used.
    let (share, used) = configuration.arithmetic.precision == .bfloat16 ? (0.5, 4.0) : (1.0, 3.0)
    training = share * kept + used * largest
    trainingWithRecomputedBlocks = share * (ofBlocks + largestBlock) + used * largest
    inference = ofSkips + 2 * largest
  }
}
