import Checkpoints
import Configuration
import Datasets
import Failures
import HDF5
import Tensors

/// What the header of a checkpoint says of its network.
package struct CheckpointDetails {
  /// The checkpoint.
  package let path: String
  package let header: CheckpointHeader
  package let configuration: RunConfiguration
  /// What the channels are, for fields; nil for images.
  package let fields: FieldDescription?

  /// - Throws: `ConfigurationError`, `CheckpointError` for a header that this program cannot interpret.
  package init(path: String, header: CheckpointHeader) throws {
    self.path = path
    self.header = header
    configuration = try RunConfiguration(yaml: header.configuration, file: "\(path):config").withSigmaDataOfImages()
    fields = try Self.fields(header, configuration, path)
  }

  private static func fields(
    _ header: CheckpointHeader, _ configuration: RunConfiguration, _ path: String
  ) throws(CheckpointError) -> FieldDescription? {
    guard let json = header.fields else { return nil }
    do {
      return try FieldDescription(
        json: json, imageShape: header.imageShape, conditions: configuration.data.conditions)
    } catch { throw CheckpointError(path: path, problem: "\(error.location): \(error.problem)") }
  }

  /// The group that contains the requested weights.
  /// - Parameter option: the option that chose them, for messages.
  package func group(of weights: ModelRequest.Weights, option: String = "--weights") throws(InputError) -> String {
    let decays = configuration.training.emaDecays
    switch weights {
    case .model: return CheckpointGroup.model
    case .ema: return CheckpointGroup.average(decays[0])
    case .average(let decay):
      guard decays.contains(decay) else {
        throw InputError(
          "\(option) \(weights.rawValue): \(path) has no average with this decay; it has "
            + decays.map { "\($0)" }.joined(separator: ", "))
      }
      return CheckpointGroup.average(decay)
    }
  }
}

/// A checkpoint that this process alone reads.
package final class OpenCheckpoint {
  package let details: CheckpointDetails
  package let file: HDF5File

  package init(_ path: String) throws {
    let file = try Checkpoint.openAlone(path)
    details = try CheckpointDetails(path: path, header: Checkpoint.readHeader(from: file))
    self.file = file
  }

  /// Reads the weights in a group.
  package func parameters(in group: String, _ layout: ParameterLayout) throws -> Arena {
    let parameters = Arena(layout)
    try TensorGroup(path: group, layout: layout, ranges: [0..<parameters.count], values: parameters.buffer)
      .read(from: file)
    return parameters
  }
}
