import Configuration
import Diffusion
import FoundationEssentials
import Inference
import Interchange
import Network
import Tensors

/// A trained model as the files of a diffusers pipeline: the input of `DDPMPipeline.from_pretrained` or, if no
/// diffusers pipeline supports the model, of `from_pretrained` of the network and of the scheduler.
package struct PipelineExport: Sendable {
  /// The key of the safetensors file's metadata for the configuration, which diffusers has no field for.
  static let configurationKey = "ddpm_mpi_configuration"

  /// The paths of the files in the pipeline's folder.
  enum Path {
    static let pipeline = "model_index.json"
    static let network = "unet/config.json"
    static let weights = "unet/\(WeightFiles.fileName)"
    static let scheduler = "scheduler/scheduler_config.json"
  }

  private let configuration: RunConfiguration
  private let network: UNetMapping
  private let process: any ProcessMapping

  /// - Parameter network: the shape of the configuration's network for its images.
  /// - Throws: an error naming the key that diffusers does not support.
  package init(_ configuration: RunConfiguration, network: UNetConfiguration) throws {
    guard configuration.data.conditions.isEmpty else {
      throw ExportRefusal(
        "data.conditions", "[\(configuration.data.conditions.joined(separator: ", "))]",
        "UNet2DModel is given noisy images, times and classes only")
    }
    self.configuration = configuration
    process = try processMapping(configuration)
    self.network = UNetMapping(network, dropout: configuration.model.dropout)
    try checkThatNothingIsLost()
  }

  /// Converts the files back: they must give the same network.
  private func checkThatNothingIsLost() throws {
    let read = try UNetMapping(ComponentFile(path: Path.network, values: network.file))
    var copy = configuration
    read.apply(to: &copy, classCount: configuration.model.classes)
    // The order does not matter.
    if Set(copy.model.attentionResolutions) == Set(configuration.model.attentionResolutions) {
      copy.model.attentionResolutions = configuration.model.attentionResolutions
    }
    if configuration.model.multipliers[0] != 1 {
      throw ExportRefusal(
        "model.multipliers", "\(configuration.model.multipliers)",
        "UNet2DModel's first level has as many channels as its first convolution, a multiplier of 1")
    }
    let (mine, theirs) = (configuration.model.architecture, copy.model.architecture)
    if mine.headCount != theirs.headCount || mine.headChannels != theirs.headChannels {
      throw ExportRefusal(
        "model.heads", "\(mine.headCount)",
        "UNet2DModel's heads have the same size at every level with attention, as with model.head_channels")
    }
    if let lost = copy.difference(from: configuration).first {
      throw ExportRefusal(lost.key.name, lost.theirs, "the exported network would have \(lost.mine)")
    }
  }

  /// The files, with their paths in the folder.
  /// - Parameters:
  ///   - parameters: the weights.
  ///   - step: optimiser steps done.
  ///   - images: images seen.
  package func files(parameters: Arena, step: Int, images: Int) throws -> [(path: String, contents: Data)] {
    let tensors = parameters.layout.entries.map { entry in
      let mapping = TensorMapping(entry: entry)
      return Safetensors.Tensor(
        entry.name, shape: mapping.shape, mapping.toPyTorch(parameters.tensor(entry).elements))
    }
    let metadata = [
      "format": "pt", Self.configurationKey: configuration.yaml, "ddpm_mpi_step": "\(step)",
      "ddpm_mpi_images": "\(images)",
    ]
    func component(_ path: String, _ values: [String: JSONValue]) -> (path: String, contents: Data) {
      (path, ComponentFile(path: path, values: values).contents)
    }
    return (hasPipeline ? [component(Path.pipeline, Self.pipeline)] : []) + [
      component(Path.network, network.file), component(Path.scheduler, try process.file()),
      (Path.weights, Safetensors.contents(of: tensors, metadata: metadata)),
    ]
  }

  /// Whether a diffusers pipeline supports the model: `DDPMPipeline` has no scaled inputs, and no noise other than
  /// N(0, I).
  package var hasPipeline: Bool { process is SchedulerMapping }

  private static let pipeline: [String: JSONValue] = [
    "_class_name": .text("DDPMPipeline"),
    "unet": .list([.text("diffusers"), .text(UNetMapping.className)]),
    "scheduler": .list([.text("diffusers"), .text(SchedulerMapping.className)]),
  ]
}
