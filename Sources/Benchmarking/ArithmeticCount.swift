import Network
import Tensors

/// Counts the arithmetic of a U-Net, to tell what its time should grow with.
public enum ArithmeticCount {
  /// Multiplications and additions of one image's forward pass in convolutions, matrices and attention, convolutions
  /// computed directly: what is usually called its FLOPs. A training step has three times as many. The program itself
  /// makes fewer, since Winograd's algorithm saves most multiplications of 3x3 convolutions.
  public static func forwardPass(of network: UNet) -> Int {
    let configuration = network.configuration
    var count = 0
    for entry in network.layout.entries where entry.order != .c {
      let level = level(of: entry.name, levelCount: configuration.multipliers.count)
      let pixels = level.map { (configuration.imageHeight >> $0) * (configuration.imageWidth >> $0) } ?? 1
      count += 2 * pixels * entry.count
      // Attention multiplies all pixels' queries by all keys, and the weights by the values.
      if entry.name.hasSuffix(".to_q.weight") { count += 4 * pixels * pixels * entry.shape[1] }
    }
    return count
  }

  /// The level at whose pixels a matrix or a kernel is applied, 0 being the full resolution; nil for those of the time
  /// embedding, which are applied once per image.
  private static func level(of name: String, levelCount: Int) -> Int? {
    if name.contains("time_emb") { return nil }
    let parts = name.split(separator: ".")
    let number = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    switch parts[0] {
    case "down_blocks": return number + (name.contains("downsamplers") ? 1 : 0)
    case "mid_block": return levelCount - 1
    case "up_blocks": return levelCount - 1 - number - (name.contains("upsamplers") ? 1 : 0)
    default: return 0
    }
  }
}
