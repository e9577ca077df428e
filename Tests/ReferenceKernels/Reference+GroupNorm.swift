import Glibc
import Kernels

extension Reference {
  /// y = multiplier · act((x̂·scale + offset)·(1 + s) + b) with x̂ = (x − mean) / √(variance + epsilon), where mean and
  /// (biased) variance are over the image's group (Wu and He, arXiv:1803.08494).
  ///
  /// - Parameters:
  ///   - x: [images, pixels, channels]; groups are runs of channels / groups consecutive channels.
  ///   - modulation: s, then b of each image, [images, 2, channels]; nil for zeros.
  ///   - multipliers: dropout's factors, of x's shape, or nil for ones.
  package static func groupNorm<Scalar: BinaryFloatingPoint>(
    x: [Scalar], scale: [Scalar], offset: [Scalar], modulation: [Scalar]? = nil, geometry: GroupNormGeometry,
    activation: Activation, multipliers: [Scalar]? = nil
  ) -> (y: [Scalar], means: [Scalar], inverseStandardDeviations: [Scalar]) {
    let input = doubles(x)
    let (means, inverseStandardDeviations) = groupStatistics(input, geometry)
    var y = [Double](repeating: 0, count: x.count)
    for element in x.indices {
      let (channel, group) = channelAndGroup(of: element, geometry)
      let normalised = (input[element] - means[group]) * inverseStandardDeviations[group]
      let (s, b) = scaleAndShift(of: element, modulation, geometry)
      let u = (normalised * Double(scale[channel]) + Double(offset[channel])) * (1 + s) + b
      y[element] = activation == .silu ? u / (1 + exp(-u)) : u
      if let multipliers { y[element] *= Double(multipliers[element]) }
    }
    return (rounded(y), rounded(means), rounded(inverseStandardDeviations))
  }

  /// Gradients of a loss with respect to `groupNorm`'s input, scale, offset and modulation, given dy = ∂loss/∂y.
  package static func groupNormBackward<Scalar: BinaryFloatingPoint>(
    x: [Scalar], dy: [Scalar], scale: [Scalar], offset: [Scalar], modulation: [Scalar]? = nil,
    geometry: GroupNormGeometry, activation: Activation, multipliers: [Scalar]? = nil
  ) -> (dx: [Scalar], dScale: [Scalar], dOffset: [Scalar], dModulation: [Scalar]) {
    let input = doubles(x)
    let (means, inverseStandardDeviations) = groupStatistics(input, geometry)
    var dNormalised = [Double](repeating: 0, count: x.count)
    var dScale = [Double](repeating: 0, count: geometry.channels)
    var dOffset = dScale
    var dModulation = [Double](repeating: 0, count: 2 * geometry.images * geometry.channels)
    var sums = [Double](repeating: 0, count: means.count)
    var products = sums
    for element in x.indices {
      let (channel, group) = channelAndGroup(of: element, geometry)
      let normalised = (input[element] - means[group]) * inverseStandardDeviations[group]
      let (s, b) = scaleAndShift(of: element, modulation, geometry)
      let affine = normalised * Double(scale[channel]) + Double(offset[channel])
      var gradient = Double(dy[element]) * (multipliers.map { Double($0[element]) } ?? 1)
      if activation == .silu {
        let u = affine * (1 + s) + b
        let gate = 1 / (1 + exp(-u))
        gradient *= gate * (1 + u * (1 - gate))
      }
      let index = modulationIndex(of: element, geometry)
      dModulation[index] += gradient * affine
      dModulation[index + geometry.channels] += gradient
      gradient *= 1 + s
      dScale[channel] += gradient * normalised
      dOffset[channel] += gradient
      dNormalised[element] = gradient * Double(scale[channel])
      sums[group] += dNormalised[element]
      products[group] += dNormalised[element] * normalised
    }
    let count = Double(geometry.pixels * geometry.channels / geometry.groups)
    var dx = [Double](repeating: 0, count: x.count)
    for element in x.indices {
      let (_, group) = channelAndGroup(of: element, geometry)
      let normalised = (input[element] - means[group]) * inverseStandardDeviations[group]
      let centred = dNormalised[element] - sums[group] / count - normalised * products[group] / count
      dx[element] = centred * inverseStandardDeviations[group]
    }
    return (rounded(dx), rounded(dScale), rounded(dOffset), rounded(dModulation))
  }

  /// s and b of an element's channel in its image.
  private static func scaleAndShift<Scalar: BinaryFloatingPoint>(
    of element: Int, _ modulation: [Scalar]?, _ geometry: GroupNormGeometry
  ) -> (Double, Double) {
    guard let modulation else { return (0, 0) }
    let index = modulationIndex(of: element, geometry)
    return (Double(modulation[index]), Double(modulation[index + geometry.channels]))
  }

  /// The index of s for an element's channel and image.
  private static func modulationIndex(of element: Int, _ geometry: GroupNormGeometry) -> Int {
    2 * (element / geometry.imageCount) * geometry.channels + element % geometry.channels
  }

  private static func channelAndGroup(of element: Int, _ geometry: GroupNormGeometry) -> (channel: Int, group: Int) {
    let channel = element % geometry.channels
    let image = element / (geometry.channels * geometry.pixels)
    return (channel, image * geometry.groups + channel / (geometry.channels / geometry.groups))
  }

  /// Means and inverse standard deviations [images, groups].
  private static func groupStatistics(
    _ x: [Double], _ geometry: GroupNormGeometry
  ) -> (means: [Double], inverseStandardDeviations: [Double]) {
    let count = Double(geometry.pixels * geometry.channels / geometry.groups)
    var means = [Double](repeating: 0, count: geometry.images * geometry.groups)
    var variances = means
    for element in x.indices { means[channelAndGroup(of: element, geometry).group] += x[element] / count }
    for element in x.indices {
      let group = channelAndGroup(of: element, geometry).group
      variances[group] += (x[element] - means[group]) * (x[element] - means[group]) / count
    }
    return (means, variances.map { 1 / ($0 + Double(geometry.epsilon)).squareRoot() })
  }
}
