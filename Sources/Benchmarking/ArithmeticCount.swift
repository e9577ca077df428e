import Network
import Tensors

/// Counts the arithmetic of a U-Net, to tell what its time should grow with.
public enum ArithmeticCount {
  /// Multiplications and additions of one image's forward pass in convolutions, matrices and attention, convolutions
  /// computed directly: what is usually called its FLOPs. A training step has three times as many. The program itself
  /// makes fewer, since Winograd's algorithm saves most multiplications of 3x3 convolutions.
  public static func forwardPass(of network: UNet) -> Int {
    var count = 0
    for entry in network.layout.entries where entry.order != .c {
      let pixels = Place(of: entry.name, in: network.configuration)?.pixels(in: network.configuration) ?? 1
      count += 2 * pixels * entry.count
      // Attention multiplies all pixels' queries by all keys, and the weights by the values.
      if entry.name.hasSuffix(".to_q.weight") { count += 4 * pixels * pixels * entry.shape[1] }
    }
    return count
  }

  /// At which pixels a matrix or a kernel is applied.
  private struct Place {
    /// 0 being the full resolution.
    let level: Int
    /// Pixels around the image that are convolved too.
    let rim: Int

    /// nil for those of the time embedding, which are applied once per image.
    init?(of name: String, in configuration: UNetConfiguration) {
      if name.contains("time_emb") { return nil }
      let architecture = configuration.architecture
      let (lowest, parts) = (configuration.multipliers.count - 1, name.split(separator: "."))
      let number = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
      switch parts[0] {
      case "down_blocks":
        // What leads to the next level is computed there.
        let leadsDown = name.contains("downsamplers") || name.contains("skip_conv")
        (level, rim) = (number + (leadsDown ? 1 : 0), 0)
      case "mid_block": (level, rim) = (lowest, 0)
      case "up_blocks":
        let leadsUp = name.contains("upsamplers")
        // Pixels that are only repeated are mapped before that.
        let isMappedBefore = name.contains("conv_shortcut") && !architecture.smoothsResampling
        level = lowest - number - (leadsUp && !isMappedBefore ? 1 : 0)
        let enlarges =
          name.contains("upsamplers.0.conv.")
          || (name.contains("skip_conv") && number > 0 && architecture.progressiveOutput == .residual)
        rim = enlarges && architecture.smoothsResampling ? 1 : 0
      default: (level, rim) = (0, 0)
      }
    }

    func pixels(in configuration: UNetConfiguration) -> Int {
      ((configuration.imageHeight >> level) + 2 * rim) * ((configuration.imageWidth >> level) + 2 * rim)
    }
  }
}
