import Checkpoints
import Foundation
import HDF5
import MessagePassing
import Network
import Tensors

/// A network with the weights of a checkpoint.
struct TrainedModel {
  let configuration: RunConfiguration
  let network: UNet
  let parameters: Arena

  /// Reads a checkpoint by this process alone.
  ///
  /// - Parameter place: a checkpoint file, a run's folder, or its folder of checkpoints, whose newest whole one counts.
  /// - Returns: the model, the file it came from, and what was wrong with newer ones.
  static func load(
    from place: String, weights: ModelRequest.Weights
  ) throws -> (TrainedModel, path: String, problems: [String]) {
    let place = withoutTrailingSlashes(place)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) else {
      throw InputError("--checkpoint \(place): there is no such file or folder")
    }
    guard isFolder.boolValue else { return (try load(file: place, weights: weights), place, []) }
    let folder = RunFolder(place.hasSuffix("/checkpoints") ? String(place.dropLast("/checkpoints".count)) : place)
    var problems: [String] = []
    for checkpoint in try folder.checkpoints() {
      do {
        return (try load(file: checkpoint.path, weights: weights), checkpoint.path, problems)
      } catch let error as CheckpointError {
        problems.append("\(error)")
      }
    }
    throw CheckpointError(
      path: place,
      problem: problems.isEmpty
        ? "there is no checkpoint in this folder" : "no checkpoint is whole: " + problems.joined(separator: "; "))
  }

  private static func load(file path: String, weights: ModelRequest.Weights) throws -> TrainedModel {
    do {
      return try read(path, weights: weights)
    } catch let error as HDF5Error {
      throw CheckpointError(path: path, problem: error.message)
    }
  }

  private static func read(_ path: String, weights: ModelRequest.Weights) throws -> TrainedModel {
    let file = try HDF5File.open(path)
    let header = try Checkpoint.readHeader(from: file)
    let configuration = try RunConfiguration(yaml: header.configuration, file: "\(path):config")
    let group = weights == .model ? "model" : "ema/\(configuration.training.emaDecays[0])"
    let shape = header.imageShape
    let network = try configuration.network(height: shape[0], width: shape[1], channels: shape[2])
    let parameters = Arena(network.layout)
    let tensors = TensorGroup(
      path: group, layout: network.layout, shard: 0..<parameters.count, values: parameters.pointer)
    try tensors.read(from: file, communicator: nil)
    return TrainedModel(configuration: configuration, network: network, parameters: parameters)
  }
}
