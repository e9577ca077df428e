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
  public func process() throws -> DiscreteProcess {
    DiscreteProcess(
      schedule: try NoiseSchedule.linear(
        steps: diffusion.steps, first: diffusion.betaFirst, last: diffusion.betaLast))
  }

  /// What the network is trained for.
  public func modelDescription() throws -> ModelDescription {
    ModelDescription(process: try process(), parametrisation: .prediction(.noise))
  }

  /// The sampler's settings: those of the run.
  public var samplerSettings: SamplerSettings {
    var settings = SamplerSettings()
    settings.steps = sampling.steps
    settings.variance = diffusion.variance == .small ? .small : .large
    settings.clipsOriginal = sampling.clip
    return settings
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
