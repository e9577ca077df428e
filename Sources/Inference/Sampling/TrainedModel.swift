import Checkpoints
import Configuration
import Diffusion
import Failures
import Files
import Foundation
import HDF5
import MessagePassing
import Network
import Ranks
import Tensors

/// A network with the weights of a checkpoint.
package struct TrainedModel {
  /// What the checkpoint says of itself.
  package let header: CheckpointHeader
  package let configuration: RunConfiguration
  package let network: UNet
  package let parameters: Arena

  /// Reads a checkpoint by this process alone.
  /// - Parameter check: called with the network before there are weights; what it throws is thrown.
  /// - Throws: `CheckpointError`, and `InputError` if it is no denoiser.
  package static func read(
    _ path: String, weights: ModelRequest.Weights,
    checking check: (UNet) throws -> Void = { try MemoryNeed.inference($0, batch: 1, option: "").require(.alone) }
  ) throws -> TrainedModel {
    let (header, configuration, file) = try CheckpointPlace.open(path)
    guard header.kind == .denoiser else {
      throw InputError("--checkpoint \(path): this is a classifier, which draws no images; name it as --classifier")
    }
    let shape = header.imageShape
    let network = try ConfigurationError.found(in: path) {
      try configuration.network(height: shape[0], width: shape[1], channels: shape[2])
    }
    try check(network)
    let parameters = try CheckpointPlace.readWeights(weights, network.layout, configuration, from: file)
    return TrainedModel(header: header, configuration: configuration, network: network, parameters: parameters)
  }
}

/// A classifier of noisy images with the weights of a checkpoint.
struct TrainedClassifierModel {
  let configuration: RunConfiguration
  /// [H, W, C].
  let imageShape: [Int]
  let network: ClassifierNetwork
  let parameters: Arena

  /// Reads a checkpoint by this process alone.
  /// - Throws: `CheckpointError`, and `InputError` if it is no classifier.
  static func read(_ path: String, weights: ModelRequest.Weights) throws -> TrainedClassifierModel {
    let (header, configuration, file) = try CheckpointPlace.open(path)
    guard header.kind == .classifier, let classCount = header.classCount else {
      throw InputError("--classifier \(path): this is no classifier; `ddpm-mpi train-classifier` trains one")
    }
    let shape = header.imageShape
    let network = try ConfigurationError.found(in: path) {
      try configuration.classifier(height: shape[0], width: shape[1], channels: shape[2], classCount: classCount)
    }
    let parameters = try CheckpointPlace.readWeights(weights, network.layout, configuration, from: file)
    return TrainedClassifierModel(
      configuration: configuration, imageShape: shape, network: network, parameters: parameters)
  }

  /// - Throws: `DiffusionError` unless it knows noise as the model does.
  func check(fits model: RunConfiguration, imageShape: [Int]) throws(DiffusionError) {
    guard imageShape == self.imageShape else {
      throw DiffusionError(
        key: "classifier", problem: "it is for images \(self.imageShape), but the model for \(imageShape)")
    }
    let decisive = [
      "diffusion.process", "diffusion.steps", "diffusion.schedule", "diffusion.beta_first", "diffusion.beta_last",
      "diffusion.zero_terminal_snr",
      "diffusion.sigma_min", "diffusion.sigma_max", "diffusion.rescale_times",
    ]
    for difference in configuration.difference(from: model) where decisive.contains(difference.key.name) {
      throw DiffusionError(
        key: "classifier",
        problem: "it was trained with \(difference.key.name)=\(difference.mine), but the model with "
          + "\(difference.theirs); train one with the model's process")
    }
  }
}

/// Where a checkpoint is looked for.
package enum CheckpointPlace {
  /// The newest whole checkpoint at a place: a file, a run's folder, or its folder of checkpoints.
  ///
  /// - Parameter option: what the place was given by, for messages.
  /// - Returns: what `read` makes of it, the file, and what was wrong with newer ones.
  package static func newest<Result>(
    at place: String, option: String, read: (_ path: String) throws -> Result
  ) throws -> (Result, path: String, problems: [String]) {
    let place = withoutTrailingSlashes(place)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) else {
      throw InputError("\(option) \(place): there is no such file or folder")
    }
    guard isFolder.boolValue else { return (try whole(place, read), place, []) }
    let folder = RunFolder(place.hasSuffix("/checkpoints") ? String(place.dropLast("/checkpoints".count)) : place)
    var problems: [String] = []
    for checkpoint in try folder.checkpoints() {
      do {
        return (try whole(checkpoint.path, read), checkpoint.path, problems)
      } catch let error as CheckpointError {
        problems.append("\(error)")
      }
    }
    throw CheckpointError(
      path: place,
      problem: problems.isEmpty
        ? "there is no checkpoint in this folder" : "no checkpoint is whole: " + problems.joined(separator: "; "))
  }

  private static func whole<Result>(_ path: String, _ read: (String) throws -> Result) throws -> Result {
    do { return try read(path) } catch let error as HDF5Error {
      throw CheckpointError(path: path, problem: error.message)
    }
  }

  package static func open(_ path: String) throws -> (
    header: CheckpointHeader, configuration: RunConfiguration, file: OpenFile
  ) {
    let file = OpenFile(try Checkpoint.openAlone(path))
    let header = try Checkpoint.readHeader(from: file.file)
    return (header, try RunConfiguration(yaml: header.configuration, file: "\(path):config"), file)
  }

  /// A file that tuples can hold.
  package final class OpenFile {
    package let file: HDF5File

    init(_ file: consuming HDF5File) { self.file = file }
  }

  /// The group that holds weights.
  /// - Parameter option: what they were chosen by, for messages.
  package static func group(
    _ weights: ModelRequest.Weights, _ configuration: RunConfiguration, in file: OpenFile, option: String = "--weights"
  ) throws -> String {
    let decays = configuration.training.emaDecays
    switch weights {
    case .model: return CheckpointGroup.model
    case .ema: return CheckpointGroup.average(decays[0])
    case .average(let decay):
      guard decays.contains(decay) else {
        throw InputError(
          "\(option) \(weights.rawValue): \(file.file.path) has no average of this decay; it has "
            + decays.map { "\($0)" }.joined(separator: ", "))
      }
      return CheckpointGroup.average(decay)
    }
  }

  static func readWeights(
    _ weights: ModelRequest.Weights, _ layout: ParameterLayout, _ configuration: RunConfiguration, from file: OpenFile
  ) throws -> Arena {
    let group = try group(weights, configuration, in: file)
    let parameters = Arena(layout)
    let tensors = TensorGroup(path: group, layout: layout, ranges: [0..<parameters.count], values: parameters.buffer)
    try tensors.read(from: file.file, communicator: nil)
    return parameters
  }
}
