import Diffusion
import Network

extension Conditions {
  /// Classes in turn and random channels, as far as a network takes them, in place of a data set's.
  static func generated(for network: UNetConfiguration, samples: Range<Int>) -> Conditions {
    let classes = network.classCount.map { count in samples.map { Optional($0 % count) } }
    guard network.conditionChannels > 0 else { return Conditions(classes: classes) }
    let shape = [samples.count, network.imageHeight, network.imageWidth, network.conditionChannels]
    return Conditions(classes: classes, fields: Latents.draw(shape: shape, seed: 2, firstImage: samples.lowerBound))
  }
}
