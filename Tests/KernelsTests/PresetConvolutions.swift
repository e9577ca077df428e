import Configuration
import Kernels
import Network
import Tensors
import Testing

/// A stride-1 3x3 convolution of a preset's network.
struct ConvolutionLayer: Hashable, CustomTestStringConvertible {
  /// Height and width of the result.
  let size: Int
  let inChannels: Int
  let outChannels: Int
  let enlargesInput: Bool

  var testDescription: String {
    "\(enlargesInput ? "\(size / 2) to " : "")\(size)x\(size) \(inChannels)->\(outChannels)"
  }

  /// As many images as have 1024 pixels together: 64 tiles, and 1024 terms in a kernel's gradient. Or a larger one.
  var geometry: Winograd.Geometry { geometry(images: max(1, 1024 / (size * size))) }

  func geometry(images: Int) -> Winograd.Geometry {
    Winograd.Geometry(
      images: images, height: size, width: size, inChannels: inChannels, outChannels: outChannels,
      enlargesInput: enlargesInput)
  }

  /// The distinct layers of all presets, from the names and shapes of their networks' kernels.
  static let ofAllPresets: [ConvolutionLayer] = {
    var layers: [ConvolutionLayer] = []
    for preset in Presets.all {
      let configuration = preset.configuration
      guard let shape = preset.imageShape(for: configuration),
        let network = try? configuration.network(height: shape[0], width: shape[1], channels: shape[2])
      else { fatalError("\(preset.name) has no network") }
      for entry in network.layout.entries {
        if let layer = ConvolutionLayer(entry, configuration.model, imageSize: shape[0]), !layers.contains(layer) {
          layers.append(layer)
        }
      }
    }
    return layers
  }()

  /// nil if it is not the kernel of such a convolution.
  private init?(_ entry: ParameterEntry, _ model: RunConfiguration.ModelSettings, imageSize: Int) {
    let (name, levels) = (entry.name, model.multipliers.count)
    let hasStride =
      name.contains("downsamplers.0.conv.") || name.hasPrefix("down_blocks") && name.contains("skip_conv")
    guard entry.order == .hwio, entry.shape[0] == 3, !hasStride else { return nil }
    let repeatsPixels = name.contains("upsamplers.0.conv1.") && !model.architecture.smoothsResampling
    enlargesInput = name.contains("upsamplers.0.conv.") || repeatsPixels
    inChannels = entry.shape[2]
    outChannels = entry.shape[3]
    let parts = name.split(separator: ".")
    let level =
      switch parts[0] {
      case "down_blocks": Int(parts[1])! + (name.contains("downsamplers") ? 1 : 0)
      case "mid_block": levels - 1
      // The last layer of a decoder level enlarges its result to the size of the next level.
      case "up_blocks": levels - 1 - Int(parts[1])! - (name.contains("upsamplers") ? 1 : 0)
      default: 0
      }
    size = imageSize >> level
  }

  init(size: Int, inChannels: Int, outChannels: Int, enlargesInput: Bool = false) {
    self.size = size
    self.inChannels = inChannels
    self.outChannels = outChannels
    self.enlargesInput = enlargesInput
  }
}
