import Configuration
import Diffusers
import Diffusion
import Foundation
import Interchange
import Network
import Tensors
import TestSupport
import Testing

@Suite struct RoundTripTests {
  /// Networks and processes that cover every setting at least once.
  static let configurations: [RunConfiguration] = [
    smallConfiguration(),
    smallConfiguration {
      $0.model.classes = 3
      $0.model.attentionResolutions = []
      $0.training.labelDropout = 0.1
      $0.diffusion.prediction = .velocity
      $0.diffusion.variance = .large
      $0.sampling.clipsOriginal = false
    },
    smallConfiguration {
      $0.diffusion.variance = .learnedRange
      $0.diffusion.loss = .hybrid
      $0.diffusion.schedule = .cosine
      $0.diffusion.steps = 300
      $0.model.multipliers = [1, 1, 3]
      $0.model.attentionResolutions = [8, 2]
    },
    smallConfiguration {
      $0.diffusion.prediction = .data
      $0.diffusion.schedule = .sigmoid
      $0.diffusion.betaFirst = 1e-5
      $0.diffusion.betaLast = 0.015
    },
    smallConfiguration {
      $0.diffusion.schedule = .quadratic
      // Determines only initial values.
      $0.model.architecture.attentionInitialScale = 0.1
    },
    smallConfiguration {
      $0.model.architecture.headCount = 4
      $0.model.architecture.timeConditioning = .scaleShift
      // With 1000 steps it has no effect.
      $0.diffusion.rescaleTimes = true
    },
    smallConfiguration {
      $0.model.attentionResolutions = [8, 4]
      $0.model.architecture.headChannels = 4
    },
    smallConfiguration {
      // One head, in the other notation.
      $0.model.architecture.headChannels = 16
      $0.model.architecture.timeConditioning = .scaleShift
    },
    smallConfiguration {
      $0.diffusion.prediction = .velocity
      $0.diffusion.zeroTerminalSNR = true
    },
    smallConfiguration {
      $0.diffusion.process = .edm
      $0.diffusion.loss = .edm
      $0.diffusion.sigmaMax = 50
    },
  ]

  @Test(arguments: configurations) func exportAndImportPreserveEveryBit(configuration: RunConfiguration) throws {
    let (network, parameters) = try network(configuration)
    let export = try PipelineExport(configuration, network: network.configuration)
    try withTemporaryFolder { folder in
      try write(export.files(parameters: parameters, step: 7, images: 56), to: folder)
      let model = try ModelImport(from: folder, sources: ConfigurationSources())
      #expect(model.configuration == configuration)
      #expect(model.network.configuration == network.configuration)
      #expect(model.parameters.buffer !== parameters.buffer)
      for entry in network.layout.entries {
        #expect(model.parameters.tensor(entry).elements == parameters.tensor(entry).elements, "\(entry.name)")
      }
      #expect(!model.addedNoClass)
      #expect(model.specifiesProcess)
    }
  }

  @Test func exportedTensorsHavePyTorchsAxes() throws {
    let configuration = smallConfiguration { $0.model.classes = 3 }
    let (network, parameters) = try network(configuration)
    let export = try PipelineExport(configuration, network: network.configuration)
    let files = try export.files(parameters: parameters, step: 0, images: 0)
    let weights = try #require(files.first { $0.path == "unet/diffusion_pytorch_model.safetensors" })
    let read = try Safetensors(weights.contents, path: "x")
    #expect(read.entries.map(\.name) == network.layout.entries.map(\.name).sorted())

    func ours(_ name: String) throws -> (ParameterEntry, [Float]) {
      let entry = try #require(network.layout[name])
      return (entry, parameters.tensor(entry).elements)
    }
    // A kernel: [height, width, in, out] and [out, in, height, width].
    let (kernel, taps) = try ours("down_blocks.1.resnets.0.conv1.weight")
    #expect(kernel.shape == [3, 3, 8, 16])
    #expect(read[kernel.name]?.shape == [16, 8, 3, 3])
    let written = try read.floats(kernel.name)
    for (y, x, input, output) in [(0, 0, 0, 0), (2, 1, 5, 11), (1, 2, 7, 15)] {
      #expect(written[((output * 8 + input) * 3 + y) * 3 + x] == taps[((y * 3 + x) * 8 + input) * 16 + output])
    }
    // A convolution of single pixels.
    #expect(read["down_blocks.1.resnets.0.conv_shortcut.weight"]?.shape == [16, 8, 1, 1])
    // A matrix: [in, out] and [out, in].
    let (matrix, elements) = try ours("down_blocks.1.resnets.0.time_emb_proj.weight")
    #expect(matrix.shape == [32, 16])
    #expect(read[matrix.name]?.shape == [16, 32])
    #expect(try read.floats(matrix.name)[3 * 32 + 20] == elements[20 * 16 + 3])
    // A table of rows.
    let (table, rows) = try ours("class_embedding.weight")
    #expect(read[table.name]?.shape == [4, 32])
    #expect(try read.floats(table.name) == rows)
  }

  @Test func namesOfOldVersionsAreRecognised() throws {
    let configuration = smallConfiguration()
    let (network, parameters) = try network(configuration)
    let export = try PipelineExport(configuration, network: network.configuration)
    try withTemporaryFolder { folder in
      let files = try export.files(parameters: parameters, step: 0, images: 0)
      try write(files, to: folder)
      let path = "\(folder)/unet/diffusion_pytorch_model.safetensors"
      let read = try Safetensors(readingFrom: path)
      let legacy = [".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."]
      let tensors = try read.entries.map { entry in
        var name = entry.name
        for (new, old) in legacy { name = name.replacingOccurrences(of: new, with: old) }
        return Safetensors.Tensor(name, shape: entry.shape, try read.floats(entry.name))
      }
      #expect(tensors.filter { $0.name.contains(".proj_attn.") }.count == 12)
      try Safetensors.contents(of: tensors).write(to: URL(fileURLWithPath: path))
      let model = try ModelImport(from: folder, sources: ConfigurationSources())
      for entry in network.layout.entries {
        #expect(model.parameters.tensor(entry).elements == parameters.tensor(entry).elements, "\(entry.name)")
      }
    }
  }

  @Test func severalFilesWithAnIndexAreRead() throws {
    let configuration = smallConfiguration()
    let (network, parameters) = try network(configuration)
    let export = try PipelineExport(configuration, network: network.configuration)
    try withTemporaryFolder { folder in
      try write(export.files(parameters: parameters, step: 0, images: 0), to: folder)
      let path = "\(folder)/unet/diffusion_pytorch_model.safetensors"
      let read = try Safetensors(readingFrom: path)
      var map: [String: String] = [:]
      for part in 0..<2 {
        let name = "diffusion_pytorch_model-0000\(part + 1)-of-00002.safetensors"
        let entries = read.entries.enumerated().filter { $0.offset % 2 == part }.map(\.element)
        let tensors = try entries.map { Safetensors.Tensor($0.name, shape: $0.shape, try read.floats($0.name)) }
        for entry in entries { map[entry.name] = name }
        try Safetensors.contents(of: tensors).write(to: URL(fileURLWithPath: "\(folder)/unet/\(name)"))
      }
      try FileManager.default.removeItem(atPath: path)
      try JSONSerialization.data(withJSONObject: ["weight_map": map])
        .write(to: URL(fileURLWithPath: "\(path).index.json"))
      let model = try ModelImport(from: folder, sources: ConfigurationSources())
      for entry in network.layout.entries {
        #expect(model.parameters.tensor(entry).elements == parameters.tensor(entry).elements, "\(entry.name)")
      }
    }
  }

  @Test func pythonsInfinityIsRead() throws {
    let configuration = smallConfiguration()
    let (network, parameters) = try network(configuration)
    let export = try PipelineExport(configuration, network: network.configuration)
    try withTemporaryFolder { folder in
      try write(export.files(parameters: parameters, step: 0, images: 0), to: folder)
      let path = "\(folder)/scheduler/scheduler_config.json"
      let text = try String(contentsOfFile: path, encoding: .utf8)
      try ("{\n\"lambda_min_clipped\": -Infinity," + text.dropFirst())
        .write(toFile: path, atomically: true, encoding: .utf8)
      let model = try ModelImport(from: folder, sources: ConfigurationSources())
      #expect(model.configuration == configuration)
    }
  }
}
