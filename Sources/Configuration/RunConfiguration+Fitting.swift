import Datasets

// What depends on the data set.
extension RunConfiguration {
  /// σ_data for images: the value of Karras et al., arXiv:2206.00364, table 1.
  static let sigmaDataOfImages = 0.5

  /// The configuration that a run on this data set has: checked against it, and with values that depend on it in place of
  /// `auto`. Runs store it, so a model needs no data set to be used.
  ///
  /// - `diffusion.sigma_data` is measured for fields (`FieldDescription.sigmaData`).
  /// - `sampling.clip` is false for fields, unless all their values are in [−1, 1], to which images would be clipped.
  ///
  /// - Parameter dataset: the result of `dataset()`.
  package func fitted(to dataset: any Dataset) throws(ConfigurationError) -> RunConfiguration {
    precondition(dataset.conditionChannels == data.conditions.count, "the data set has other conditions")
    try validate(classNames: dataset.classNames)
    guard let fields = dataset.fields else {
      guard data.normalisation == .standard else {
        throw ConfigurationError(
          "data.normalisation is \(text("data.normalisation")), but \(dataset.name) has images, which are not normalised; "
            + "leave it at standard")
      }
      return withSigmaDataOfImages()
    }
    var fitted = self
    if diffusion.process == .edm && diffusion.sigmaData == nil {
      fitted.diffusion.sigmaData = fields.sigmaData
      if let key = ConfigurationKey.named("diffusion.sigma_data"), !key.isAllowed(fitted) {
        throw ConfigurationError(
          "the standard deviation of \(dataset.name) is \(fields.sigmaData), with data.normalisation "
            + "\(text("data.normalisation")); diffusion.sigma_data must be \(key.allowed ?? ""), so set "
            + "data.normalisation to standard")
      }
    }
    if fields.normalisation != .range { fitted.sampling.clipsOriginal = false }
    return fitted
  }

  /// With the value of images for a `diffusion.sigma_data` that is used but not set, as in the stored configurations of
  /// older programs.
  package func withSigmaDataOfImages() -> RunConfiguration {
    guard diffusion.process == .edm, diffusion.sigmaData == nil else { return self }
    var configuration = self
    configuration.diffusion.sigmaData = Self.sigmaDataOfImages
    return configuration
  }
}
