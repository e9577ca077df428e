/// The pixels of an image at which a matrix or a kernel of a network is applied.
package struct ParameterResolution {
  /// 0 is the full resolution.
  package let level: Int
  /// The number of pixels around the image that are convolved too.
  package let rim: Int

  /// nil for parameters that are applied once per image: the time embedding, and the classifier's layers after the
  /// mean.
  package init?(of name: String, in configuration: UNetConfiguration) {
    if name.contains("time_emb") || name.hasPrefix("class") { return nil }
    let architecture = configuration.architecture
    let (lowest, parts) = (configuration.multipliers.count - 1, name.split(separator: "."))
    let number = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    switch parts[0] {
    case "down_blocks":
      // Layers that lead to the next level run at its resolution.
      let leadsDown = name.contains("downsamplers") || name.contains("skip_conv")
      (level, rim) = (number + (leadsDown ? 1 : 0), 0)
    case "mid_block": (level, rim) = (lowest, 0)
    case "up_blocks":
      let leadsUp = name.contains("upsamplers")
      // Pixels that are only repeated are mapped before they are repeated.
      let isMappedBefore = name.contains("conv_shortcut") && !architecture.smoothsResampling
      level = lowest - number - (leadsUp && !isMappedBefore ? 1 : 0)
      let enlarges =
        name.contains("upsamplers.0.conv.")
        || (name.contains("skip_conv") && number > 0 && architecture.progressiveOutput == .residual)
      rim = enlarges && architecture.smoothsResampling ? 1 : 0
    default: (level, rim) = (0, 0)
    }
  }

  /// For one image.
  package func pixels(in configuration: UNetConfiguration) -> Int {
    ((configuration.imageHeight >> level) + 2 * rim) * ((configuration.imageWidth >> level) + 2 * rim)
  }
}
