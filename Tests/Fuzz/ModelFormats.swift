import Checkpoints
import Compression
import Configuration
import Diffusers
import Evaluation
import FeatureNetworks
import Foundation
import HDF5
import Inference
import Interchange
import Network
import Tensors

private func smallConfiguration() -> RunConfiguration {
  var configuration = RunConfiguration()
  configuration.data.name = "shapes"
  configuration.model.channels = 8
  configuration.model.groups = 4
  configuration.model.multipliers = [1, 2]
  configuration.model.blocks = 1
  configuration.model.attentionResolutions = [4]
  return configuration
}

private func smallNetwork() throws -> (RunConfiguration, UNet, Arena) {
  let configuration = smallConfiguration()
  let network = try configuration.network(height: 8, width: 8, channels: 1)
  let parameters = Arena(network.layout)
  for index in 0..<parameters.count { parameters[index] = Float(index % 7) / 8 }
  return (configuration, network, parameters)
}

/// The metadata of a checkpoint, line by line, so that it can be changed as text.
private let checkpointTexts = """
  format_version=2
  kind=denoiser
  step=7
  images=448
  image_height=8
  image_width=8
  image_channels=1
  fields={"conditions":[],"coordinates":{},"normalisation":"none","variables":[{"longName":"","maximum":6,"mean":0,"minimum":-6,"name":"u","standardDeviation":1,"units":"K"}]}
  complete=1
  type=float32
  extent=0
  """

/// Writes a checkpoint with correct seal and checksums, whatever its contents.
private func writeCheckpoint(_ texts: [UInt8], _ yaml: [UInt8], to path: String) throws {
  let (configuration, network, parameters) = try smallNetwork()
  let file = try HDF5File.create(path)
  var type = ElementType.float32
  var extent: Int?
  for line in String(decoding: texts, as: UTF8.self).split(separator: "\n") {
    let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2, !parts[0].utf8.contains(0), !parts[1].utf8.contains(0) else { continue }
    if parts[0] == "type" {
      type = ElementType(rawValue: parts[1]) ?? ElementType.allCases[parts[1].utf8.count % ElementType.allCases.count]
    } else if parts[0] == "extent" {
      extent = Int(parts[1]).flatMap { (1...1 << 20).contains($0) ? $0 : nil }
    } else if let number = Int64(parts[1]) {
      try file.writeAttribute(parts[0], number)
    } else {
      try file.writeAttribute(parts[0], parts[1])
    }
  }
  try file.writeAttribute("config", String(decoding: yaml.filter { $0 != 0 }, as: UTF8.self))
  for group in ["model"] + configuration.training.emaDecays.map({ "ema/\($0)" }) {
    for (index, entry) in network.layout.entries.enumerated() {
      let isOdd = index == 3
      let shape = isOdd ? extent.map { [$0] } ?? entry.shape : entry.shape
      let name = "\(group)/\(entry.name)"
      let dataset = try file.createDataset(name, shape: shape, type: isOdd ? type : .float32)
      var bytes = [UInt8](repeating: 0, count: dataset.count * dataset.type.byteCount)
      if dataset.type == .float32, shape == entry.shape {
        bytes = parameters.tensor(entry).elements.withUnsafeBytes { Array($0) }
      }
      try dataset.writeBytes(flatRanges: [0..<dataset.count], from: ByteTensor(bytes, shape: [bytes.count]))
      try dataset.close()
      try file.writeAttribute("layout", entry.order.rawValue, of: name)
      try file.writeAttribute("crc32", bytes.withUnsafeBytes { crc32($0) }, of: name)
    }
  }
  try file.close()
  try FileSeal.add(to: path, contents: [])
}

private func readCheckpoint(_ path: String) throws {
  let inspection = try CheckpointInspection(path: path)
  guard inspection.isWhole else { throw Problem("it is damaged") }
  _ = try CheckpointLookup.newest(at: path, option: "--checkpoint") { try TrainedModel(reading: $0, weights: .ema) }
}

let modelFormats = [
  Format(
    name: "checkpoint",
    example: {
      let yaml = Array(smallConfiguration().yaml.utf8)
      return Example(["step.h5": try contents { try writeCheckpoint(Array(checkpointTexts.utf8), yaml, to: $0) }])
    },
    read: { try readCheckpoint("\($0)/step.h5") }),
  Format(
    name: "checkpoint-contents",
    example: { Example(["texts": Array(checkpointTexts.utf8), "yaml": Array(smallConfiguration().yaml.utf8)]) },
    mutate: Format.textMutation,
    read: { folder in
      let path = "\(folder)/written.h5"
      try writeCheckpoint(contents(of: "\(folder)/texts"), contents(of: "\(folder)/yaml"), to: path)
      try readCheckpoint(path)
    }),
  Format(
    name: "safetensors",
    example: {
      Example([
        "a.safetensors": [UInt8](
          Safetensors.contents(
            of: [.init("b.weight", shape: [2, 3], [1, 2, 3, 4, 5, 6]), .init("a", shape: [], [7])],
            metadata: ["format": "pt"]))
      ])
    },
    mutate: { Bool.random(using: &$2) ? Mutator.text($0, $1, using: &$2) : Mutator.bytes($0, $1, using: &$2) },
    repair: { bytes in
      // Corrects the length of a changed header.
      guard bytes.count > 16, let end = bytes.firstRange(of: Array("}}".utf8))?.upperBound, end > 8 else { return }
      withUnsafeBytes(of: UInt64(end - 8).littleEndian) { bytes.replaceSubrange(0..<8, with: $0) }
    },
    read: { folder in
      let file = try Safetensors(readingFrom: "\(folder)/a.safetensors")
      for entry in file.entries { _ = try file.floats(entry.name) }
    }),
  Format(
    name: "classifier",
    example: {
      let configuration = smallConfiguration()
      let network = try configuration.classifier(height: 8, width: 8, channels: 1, classCount: 3)
      return Example([
        "features.safetensors": [UInt8](
          FeatureNetworkFile.contents(
            name: "x", configuration: configuration.yaml, imageShape: [8, 8, 1], classCount: 3,
            parameters: Arena(network.layout)))
      ])
    },
    mutate: Format.textMutation,
    read: { _ = try FeatureNetworks.load("\($0)/features.safetensors") }),
  Format(
    name: "npz",
    example: {
      let arrays = [
        NumpyArchive.Array("mu", shape: [2], [1, 2]), NumpyArchive.Array("sigma", shape: [2, 2], [2, 1, 1, 2]),
        NumpyArchive.Array("count", integer: 9), NumpyArchive.Array("provenance", text: "somewhere"),
      ]
      return Example(["statistics.npz": [UInt8](try NumpyArchive.contents(of: arrays, path: "x"))])
    },
    repair: repairZip,
    read: { folder in
      let path = "\(folder)/statistics.npz"
      let archive = try NumpyArchive(readingFrom: path)
      for name in archive.names {
        _ = try? archive.doubles(name)
        _ = try? archive.integer(name)
        _ = try? archive.text(name)
      }
      _ = try StatisticsFile(readingFrom: path)
    }),
  Format(
    name: "torch",
    example: {
      let files = ["zip.pth", "legacy.pth"]
      return Example(
        Dictionary(
          uniqueKeysWithValues: try files.map { ($0, try contents(of: "Tests/InterchangeTests/Fixtures/\($0)")) }))
    },
    repair: repairZip,
    read: { folder in
      for name in ["zip.pth", "legacy.pth"] {
        let file = try TorchFile(Data(contents(of: "\(folder)/\(name)")), path: name)
        for tensor in file.names { _ = try? file.floats(tensor) }
      }
    }),
  Format(
    name: "diffusers",
    example: {
      let (configuration, network, parameters) = try smallNetwork()
      let export = try PipelineExport(configuration, network: network.configuration)
      let files = try export.files(parameters: parameters, step: 7, images: 448)
      let byPath = Dictionary(uniqueKeysWithValues: files.map { ($0.path, [UInt8]($0.contents)) })
      return Example(byPath)
    },
    mutate: Format.textMutation,
    read: { _ = try ModelImport(from: $0, sources: ConfigurationSources()) }),
]

/// Corrects the checksums of uncompressed members.
@Sendable func repairZip(_ bytes: inout [UInt8]) {
  func number(_ offset: Int, _ width: Int) -> Int {
    bytes[offset..<offset + width].reversed().reduce(0) { $0 << 8 | Int($1) }
  }
  let (local, central) = (0x0403_4b50, 0x0201_4b50)
  var checksums: [Int: UInt32] = [:]
  for offset in bytes.indices.dropLast(46) where bytes[offset] == 0x50 {
    if number(offset, 4) == local {
      let start = offset + 30 + number(offset + 26, 2) + number(offset + 28, 2)
      let size = number(offset + 18, 4)
      guard start <= bytes.count, size <= bytes.count - start else { continue }
      let checksum = bytes[start..<start + size].withUnsafeBytes { crc32($0) }
      checksums[offset] = checksum
      withUnsafeBytes(of: checksum.littleEndian) { bytes.replaceSubrange(offset + 14..<offset + 18, with: $0) }
    } else if number(offset, 4) == central, let checksum = checksums[number(offset + 42, 4)] {
      withUnsafeBytes(of: checksum.littleEndian) { bytes.replaceSubrange(offset + 16..<offset + 20, with: $0) }
    }
  }
}
