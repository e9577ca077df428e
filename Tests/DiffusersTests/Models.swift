import Configuration
import Foundation
import Network
import Tensors

/// A small network with all features: levels with and without attention, two blocks, images that are not square.
func smallConfiguration(_ change: (inout RunConfiguration) -> Void = { _ in }) -> RunConfiguration {
  var configuration = RunConfiguration()
  configuration.model.channels = 8
  configuration.model.groups = 4
  configuration.model.multipliers = [1, 2]
  configuration.model.blocks = 2
  configuration.model.attentionResolutions = [4]
  configuration.model.dropout = 0.1
  configuration.data.name = "shapes"
  change(&configuration)
  return configuration
}

/// The network of a configuration for images of 8x12, with random weights.
func network(_ configuration: RunConfiguration, channels: Int = 3) throws -> (UNet, Arena) {
  let network = try configuration.network(height: 8, width: 12, channels: channels)
  let parameters = Arena(network.layout)
  network.initialise(parameters, seed: 5, workers: WorkerPool(threadCount: 1))
  return (network, parameters)
}

/// Writes files below a folder.
func write(_ files: [(path: String, contents: Data)], to folder: String) throws {
  for file in files {
    let url = URL(fileURLWithPath: "\(folder)/\(file.path)")
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try file.contents.write(to: url)
  }
}

/// JSON's null, as a value to set.
struct JSONNull: Sendable {}

/// Changes a JSON file's keys; nil removes one.
func edit(_ path: String, _ changes: [String: (any Sendable)?]) throws {
  let url = URL(fileURLWithPath: path)
  var values = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any] ?? [:]
  for (key, value) in changes { values[key] = value is JSONNull ? NSNull() : value }
  try JSONSerialization.data(withJSONObject: values).write(to: url)
}
