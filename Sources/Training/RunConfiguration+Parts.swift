import Datasets
import Diffusion
import Network

extension RunConfiguration {
  /// The network for images of this shape.
  /// - Throws: `ConfigurationError` if the model does not fit the images.
  public func network(height: Int, width: Int, channels: Int) throws -> UNet {
    try validate(imageSize: height)
    try validate(imageWidth: width)
    return UNet(
      UNetConfiguration(
        imageChannels: channels, imageHeight: height, imageWidth: width, channels: model.channels,
        multipliers: model.multipliers, blocksPerLevel: model.blocks,
        attentionResolutions: model.attentionResolutions, dropout: Float(model.dropout), groupCount: model.groups,
        convolutionMethod: model.convolution))
  }

  /// The forward process.
  public func process() throws -> VariancePreservingProcess {
    VariancePreservingProcess(
      schedule: try NoiseSchedule.linear(
        steps: diffusion.steps, first: diffusion.betaFirst, last: diffusion.betaLast))
  }

  /// The sampler.
  /// - Parameter steps: how many steps to visit; by default `sampling.steps`.
  public func sampler(steps: Int? = nil) throws -> AncestralSampler {
    let steps = steps ?? sampling.steps
    guard (1...diffusion.steps).contains(steps) else {
      throw ConfigurationError("\(steps) sampling steps were asked for; this model has 1 to \(diffusion.steps)")
    }
    return try AncestralSampler(
      process: try process(), steps: steps, variance: diffusion.variance == .small ? .small : .large,
      clipsOriginal: sampling.clip)
  }

  private func validate(imageWidth: Int) throws(ConfigurationError) {
    let halvings = model.multipliers.count - 1
    guard imageWidth.isMultiple(of: 1 << halvings) else {
      throw ConfigurationError(
        "model.multipliers has \(halvings + 1) levels, which halve the image \(halvings) times; "
          + "images that are \(imageWidth) pixels wide do not allow that")
    }
  }
}
