import Tensors

/// How many floats the passes of a network take for each image, from its shape alone. What kernels take besides is left
/// out, so that this is less than what a pass needs, and not by much.
public struct ActivationCount: Sendable, Equatable {
  /// Of a forward pass that keeps what the backward pass needs, and the gradients of the largest values.
  public let training: Double
  /// The same where blocks are made again (`Tape.recomputing`).
  public let trainingWithRecomputedBlocks: Double
  /// Of a forward pass that keeps only what the way up needs.
  public let inference: Double

  /// - Parameter layout: of a network with this configuration, or of a classifier of its way down.
  public init(_ layout: ParameterLayout, _ configuration: UNetConfiguration) {
    var (kept, ofBlocks, ofSkips, largest, largestBlock, block) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for entry in layout.entries where entry.order != .c {
      guard let resolution = ParameterResolution(of: entry.name, in: configuration) else { continue }
      let channels = entry.shape[entry.shape.count - 1]
      let result = Double(resolution.pixels(in: configuration)) * Double(channels)
      let isInside = [".conv1.", ".to_q.", ".to_k.", ".to_v."].contains(where: entry.name.contains)
      // No backward pass needs a sum's parts.
      if entry.name.contains(".conv_shortcut.") { continue }
      // Attention's values are kept besides its queries and keys.
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
    // A value, its gradient, and what is normalised and normalised back of both.
    training = kept + 3 * largest
    trainingWithRecomputedBlocks = ofBlocks + largestBlock + 3 * largest
    inference = ofSkips + 2 * largest
  }
}
