import Configuration
import Foundation
import Interchange
import Tensors

/// A classifier whose features others can use: a safetensors file with its weights and, as metadata, everything needed
/// to construct it.
public struct FeatureNetworkFile: Sendable {
  /// The label of measures on these features.
  public let name: String
  /// The configuration of its training.
  public let configuration: RunConfiguration
  /// [H, W, C].
  public let imageShape: [Int]
  public let classCount: Int
  /// The CRC-32 of the whole file, eight hexadecimal digits.
  public let hash: String
  private let tensors: Safetensors

  public var path: String { tensors.path }

  private static let kind = "ddpm-mpi feature network, version 1"

  /// Whether a file claims to be of this kind.
  static func canBe(_ tensors: Safetensors) -> Bool { tensors.metadata["kind"] == kind }

  /// - Throws: `InterchangeError` for a file that is missing, damaged or of another kind.
  public init(readingFrom path: String) throws { try self.init(Safetensors(readingFrom: path)) }

  /// - Throws: `InterchangeError` for a file of another kind.
  public init(_ tensors: Safetensors) throws {
    self.tensors = tensors
    let path = tensors.path
    let metadata = tensors.metadata
    guard Self.canBe(tensors) else {
      throw InterchangeError(
        path, "is not a file of features (its kind is \(metadata["kind"] ?? "not given"))",
        advice: "`ddpm-mpi export --format features` creates one from a classifier's checkpoint")
    }
    guard let name = metadata["name"], let yaml = metadata["configuration"],
      let classCount = metadata["class_count"].flatMap({ Int($0) }), classCount > 0,
      let shape = metadata["image_shape"]?.split(separator: ",").map({ Int($0) ?? 0 }), shape.count == 3,
      shape.allSatisfy({ $0 > 0 })
    else { throw InterchangeError(path, "its metadata are incomplete") }
    self.name = name
    self.classCount = classCount
    imageShape = shape
    configuration = try RunConfiguration(yaml: yaml, file: "\(path):configuration")
    hash = WeightsHash.text(of: tensors.contents)
  }

  /// The contents of a file.
  /// - Parameters:
  ///   - configuration: the run's configuration, as YAML.
  ///   - imageShape: [H, W, C].
  public static func contents(
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
  func parameters(_ layout: ParameterLayout) throws -> Arena {
    let arena = Arena(layout)
    for entry in layout.entries {
      let shape = tensors[entry.name]?.shape
      guard shape == entry.shape else {
        throw InterchangeError(
          tensors.path, "\(entry.name) is \(shape.map { "of shape \($0)" } ?? "missing"), but must be \(entry.shape)")
      }
      arena.tensor(entry).copy(try tensors.floats(entry.name))
    }
    if let stranger = tensors.entries.first(where: { layout[$0.name] == nil }) {
      throw InterchangeError(tensors.path, "has a tensor \(stranger.name), which the network does not have")
    }
    return arena
  }
}
