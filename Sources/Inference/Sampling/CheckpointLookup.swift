import Checkpoints
import Configuration
import Failures
import Files
import Foundation
import HDF5
import Tensors

/// Finds checkpoints.
package enum CheckpointLookup {
  /// Reads the newest intact checkpoint at a path: a file, a run's folder, or its folder of checkpoints.
  ///
  /// - Parameter option: the option that names the path, for messages.
  /// - Returns: the result of `read`, the file, and the problems of newer checkpoints.
  package static func newest<Result>(
    at location: String, option: String, read: (_ path: String) throws -> Result
  ) throws -> (Result, path: String, problems: [String]) {
    let location = withoutTrailingSlashes(location)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: location, isDirectory: &isFolder) else {
      throw InputError("\(option) \(location): there is no such file or folder")
    }
    guard isFolder.boolValue else { return (try whole(location, read), location, []) }
    let folder = RunFolder(
      location.hasSuffix("/checkpoints") ? String(location.dropLast("/checkpoints".count)) : location)
    var problems: [String] = []
    for checkpoint in try folder.checkpoints() {
      do {
        return (try whole(checkpoint.path, read), checkpoint.path, problems)
      } catch let error as CheckpointError {
        problems.append("\(error)")
      }
    }
    throw CheckpointError(
      path: location,
      problem: problems.isEmpty
        ? "there is no checkpoint in this folder" : "no checkpoint is intact: " + problems.joined(separator: "; "))
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

  /// An open file as a class, so that tuples can contain it.
  package final class OpenFile {
    package let file: HDF5File

    init(_ file: consuming HDF5File) { self.file = file }
  }

  /// The group that contains the requested weights.
  /// - Parameter option: the option that chose them, for messages.
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
          "\(option) \(weights.rawValue): \(file.file.path) has no average with this decay; it has "
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
