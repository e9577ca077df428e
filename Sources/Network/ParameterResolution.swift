/// At which pixels of an image a matrix or a kernel of a network is applied.
public struct ParameterResolution {
  /// 0 being the full resolution.
  public let level: Int
  /// Pixels around the image that are convolved too.
  public let rim: Int

  /// nil for what is applied once per image: the time embedding, and what a classifier makes of the pixels' mean.
  public init?(of name: String, in configuration: UNetConfiguration) {
    if name.contains("time_emb") || name.hasPrefix("class") { return nil }
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

  /// Of one image.
  public func pixels(in configuration: UNetConfiguration) -> Int {
    ((configuration.imageHeight >> level) + 2 * rim) * ((configuration.imageWidth >> level) + 2 * rim)
  }
}
