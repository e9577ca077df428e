import FoundationEssentials
import Interchange
import Tensors

/// A classifier whose features others can use: a safetensors file with its weights and, as metadata, everything needed
/// to construct it.
package enum FeatureNetworkFile {
  private static let kind = "ddpm-mpi feature network, version 1"

  /// Whether a file claims to be of this kind.
  static func canBe(_ file: Safetensors) -> Bool { file.metadata["kind"] == kind }

  /// The contents of a file.
  /// - Parameters:
  ///   - configuration: the run's configuration, as YAML.
  ///   - imageShape: [H, W, C].
  package static func contents(
    name: String, configuration: String, imageShape: [Int], classCount: Int, parameters: Arena
  ) -> Data {
    let tensors = parameters.layout.entries.map {
      Safetensors.Tensor($0.name, shape: $0.shape, parameters.tensor($0).elements)
    }
    let shape = imageShape.map(String.init).joined(separator: ",")
    return Safetensors.contents(
      of: tensors,
      metadata: [
        "kind": kind, "name": name, "configuration": configuration, "image_shape": shape,
        "class_count": String(classCount),
      ])
  }

  /// The weights.
  /// - Throws: `InterchangeError` unless the file has exactly the tensors of the layout, with their shapes.
  static func parameters(_ layout: ParameterLayout, in file: Safetensors) throws -> Arena {
    let arena = Arena(layout)
    for entry in layout.entries {
      let shape = file[entry.name]?.shape
      guard shape == entry.shape else {
        throw InterchangeError(
          file.path, "\(entry.name) is \(shape.map { "of shape \($0)" } ?? "missing"), but must be \(entry.shape)")
      }
      arena.tensor(entry).copy(try file.floats(entry.name))
    }
    if let stranger = file.entries.first(where: { layout[$0.name] == nil }) {
      throw InterchangeError(file.path, "has a tensor \(stranger.name), which the network does not have")
    }
    return arena
  }
}
