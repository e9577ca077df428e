import Foundation
import HDF5
import Network
import Tensors

/// A U-Net whose forward and backward passes were computed by PyTorch, with the implementation of diffusers, of Song et
/// al. or of Dhariwal and Nichol; see Fixtures/README.md.
struct FixtureNetwork {
  let imageChannels: Int
  let height: Int
  let width: Int
  /// Names and shapes; the index of a parameter is its number in the generator.
  let parameterShapes: [(name: String, shape: [Int])]
  /// Parameters without effect on the output, and the parameter whose gradient's norm is used for comparison.
  let zeroGradients: [String: String]
  let path: String
  let network: UNet
  /// The images' classes, nil for no class; nil for a network without classes.
  let classes: [Int?]?

  init(_ name: String) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    path = folder.appendingPathComponent("Fixtures/\(name).h5").path
    let file = try HDF5File.open(path)
    let text = try file.readAttribute("config", as: String.self)
    try file.close()
    let config = try JSONSerialization.jsonObject(with: Data(text.utf8)) as! [String: Any]
    imageChannels = config["in_channels"] as! Int
    height = config["height"] as! Int
    width = config["width"] as! Int
    parameterShapes = (config["parameters"] as! [[Any]]).map { ($0[0] as! String, $0[1] as! [Int]) }
    zeroGradients = config["zero_gradients"] as! [String: String]
    let classCount = (config["class_rows"] as? Int).map { $0 - 1 }
    classes = (config["classes"] as? [Int])?.map { $0 == classCount ? nil : $0 }
    network = UNet(
      UNetConfiguration(
        imageChannels: imageChannels, imageHeight: height, imageWidth: width,
        channels: (config["channels"] as! [Int])[0], multipliers: config["channel_multipliers"] as! [Int],
        blocksPerLevel: config["blocks"] as! Int, attentionResolutions: config["attention_resolutions"] as! [Int],
        outputChannels: config["out_channels"] as? Int, classCount: classCount,
        architecture: (config["architecture"] as? [String: Any]).map(Self.architecture) ?? Self.variant(config)))
  }

  /// The settings of a `UNet2DModel`, or of ADM, that DDPM's network does not have.
  private static func variant(_ config: [String: Any]) -> UNetArchitecture {
    var result = UNetArchitecture.ddpm
    result.levelChange = (config["block"] as? String).flatMap { .init(rawValue: $0) } ?? .convolution
    result.headChannels = config["head_channels"] as? Int
    result.timeConditioning = (config["time_conditioning"] as? String).flatMap { .init(rawValue: $0) } ?? .add
    return result
  }

  /// The options in the public code of Song et al., as our settings.
  private static func architecture(_ options: [String: Any]) -> UNetArchitecture {
    func choice<Choice: RawRepresentable<String>>(_ name: String) -> Choice {
      Choice(rawValue: options[name] as! String)!
    }
    var result = UNetArchitecture.ddpmPlusPlus
    result.levelChange = choice("block")
    result.smoothsResampling = options["fir"] as! Bool
    result.rescalesSums = options["skip_rescale"] as! Bool
    result.timeFeatures = choice("embedding")
    result.progressiveInput = choice("progressive_input")
    result.progressiveOutput = choice("progressive_output")
    result.combination = choice("progressive_combine")
    result.dividesOutputByNoise = options["scale_by_sigma"] as! Bool
    return result
  }

  /// The parameter values that the fixtures were created with: a function of each name's index in the sorted list.
  func parameters() -> Arena {
    let arena = Arena(network.layout)
    for (index, parameter) in parameterShapes.enumerated() {
      let entry = network.layout[parameter.name]!
      let isNormWeight = entry.shape.count == 1 && entry.name.contains("norm") && entry.name.hasSuffix(".weight")
      let fanIn = entry.shape.dropLast().reduce(1, *)
      let scale: Float =
        entry.shape.count > 1
        ? Float((3 / Double(fanIn)).squareRoot())
        : isNormWeight ? 0.2 : entry.name == "time_proj.weight" ? 16 : 0.1
      let values = arena.tensor(entry)
      for j in 0..<entry.count {
        let u = generated(tensor: index, element: j) * scale
        values[j] = isNormWeight ? 1 + u : u
      }
    }
    return arena
  }

  /// Element j of generator tensor i, in [−1, 1).
  func generated(tensor: Int, element: Int) -> Float {
    let words = Philox.block(counter: SIMD4(UInt32(element / 4), UInt32(tensor), 0, 0), key: SIMD2(1234, 0))
    return Float(words[element % 4] >> 8) * 0x1p-24 * 2 - 1
  }

  func tensor(_ name: String, shape: [Int]? = nil) throws -> Tensor {
    let file = try HDF5File.open(path)
    let dataset = try file.openDataset(name)
    let result = Tensor(uninitialised: shape ?? dataset.shape)
    try dataset.read(flatRanges: [0..<dataset.count], into: result)
    try dataset.close()
    return result
  }

  func contains(_ name: String) throws -> Bool {
    let file = try HDF5File.open(path)
    return try file.exists(name)
  }
}
