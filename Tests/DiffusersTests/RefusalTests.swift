import Configuration
import Diffusers
import Foundation
import Interchange
import Kernels
import Network
import Tensors
import TestSupport
import Testing

@Suite struct RefusalTests {
  // MARK: Export

  /// The message of the error that `body` throws; empty if it throws nothing.
  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch { return "\(error)" }
  }

  @Test(arguments: [
    ("diffusion.process is ve,", smallConfiguration { $0.diffusion.process = .discreteVarianceExploding }),
    ("diffusion.process is vp-sde,", smallConfiguration { $0.diffusion.process = .variancePreserving }),
    ("diffusion.process is sub-vp-sde,", smallConfiguration { $0.diffusion.process = .subVariancePreserving }),
    (
      "diffusion.rescale_times is true,",
      smallConfiguration {
        $0.diffusion.rescaleTimes = true
        $0.diffusion.steps = 500
      }
    ),
    ("diffusion.prediction is score,", smallConfiguration { $0.diffusion.prediction = .score }),
    ("diffusion.prediction is mean,", smallConfiguration { $0.diffusion.prediction = .mean }),
    (
      "diffusion.variance is learned,",
      smallConfiguration {
        $0.diffusion.variance = .learned
        $0.diffusion.loss = .hybrid
      }
    ),
    ("model.multipliers is [2, 4],", smallConfiguration { $0.model.multipliers = [2, 4] }),
    ("model.block is biggan,", smallConfiguration { $0.model.architecture.levelChange = .residualBlock }),
    ("model.block is adm,", smallConfiguration { $0.model.architecture.levelChange = .plainResidualBlock }),
    (
      "model.heads is 2,",
      smallConfiguration {
        $0.model.attentionResolutions = [8, 4]
        $0.model.architecture.headCount = 2
      }
    ),
    ("data.conditions is [grey],", smallConfiguration { $0.data.conditions = ["grey"] }),
    ("model.periodic is both,", smallConfiguration { $0.model.periodicity = .both }),
    ("model.skip_rescale is true,", smallConfiguration { $0.model.architecture.rescalesSums = true }),
    (
      "model.embedding is fourier,",
      smallConfiguration {
        $0.model.architecture.timeFeatures = .fourier
        $0.diffusion.process = .edm
      }
    ),
  ]) func modelsThatDiffusersCannotRepresentAreNotExported(expected: String, configuration: RunConfiguration) throws {
    let (network, _) = try network(configuration)
    let message = message { _ = try PipelineExport(configuration, network: network.configuration) }
    #expect(message.hasPrefix(expected))
    #expect(message.contains("docs/interchange.md"))
  }

  // MARK: Import

  /// Exports a model, changes a file, and imports it again.
  private func importing(
    _ configuration: RunConfiguration = smallConfiguration(), settings: [String] = [], classCount: Int? = nil,
    change: (_ folder: String) throws -> Void
  ) throws -> ModelImport {
    let (network, parameters) = try network(configuration)
    let export = try PipelineExport(configuration, network: network.configuration)
    return try withTemporaryFolder { folder in
      try write(export.files(parameters: parameters, step: 0, images: 0), to: folder)
      try change(folder)
      return try ModelImport(from: folder, sources: ConfigurationSources(settings: settings), classCount: classCount)
    }
  }

  struct Change: Sendable, CustomTestStringConvertible {
    let key: String
    let value: (any Sendable)?

    init(_ key: String, _ value: (any Sendable)?) { (self.key, self.value) = (key, value) }

    var testDescription: String { "\(key) = \(value.map { "\($0)" } ?? "absent")" }
  }

  @Test(arguments: [
    Change("_class_name", "UNet2DConditionModel"), Change("act_fn", "relu"), Change("add_attention", false),
    Change("attention_head_dim", 6), Change("attention_head_dim", 0), Change("attention_head_dim", "all"),
    Change("attn_norm_num_groups", 2),
    Change("block_out_channels", [8, 12]), Change("center_input_sample", true), Change("class_embed_type", "timestep"),
    Change("cross_attention_dim", 768), Change("down_block_types", ["DownBlock2D", "AttnSkipDownBlock2D"]),
    Change("down_block_types", ["DownBlock2D"]), Change("downsample_padding", 1), Change("downsample_padding", nil),
    Change("downsample_type", "resnet"), Change("flip_sin_to_cos", true), Change("freq_shift", 0),
    Change("layers_per_block", "two"), Change("in_channels", 1 << 62), Change("mid_block_scale_factor", 1.5),
    Change("mid_block_type", JSONNull()),
    Change("norm_eps", 1e-5), Change("out_channels", 4), Change("resnet_time_scale_shift", "spatial"),
    Change("sample_size", JSONNull()), Change("time_embedding_dim", 64), Change("time_embedding_type", "fourier"),
    Change("up_block_types", ["UpBlock2D", "AttnUpBlock2D"]), Change("upsample_type", "resnet"),
  ]) func whatOurNetworkIsNotIsNamed(change: Change) {
    let message = message {
      _ = try importing { try edit("\($0)/unet/config.json", [change.key: change.value]) }
    }
    #expect(message.contains("/unet/config.json: \(change.key): "))
  }

  @Test(arguments: [
    Change("_class_name", "ScoreSdeVeScheduler"), Change("beta_schedule", "laplace"), Change("clip_sample_range", 2.0),
    Change("prediction_type", "flow_prediction"), Change("rescale_betas_zero_snr", true), Change("thresholding", true),
    Change("trained_betas", [0.1, 0.3, 0.2]), Change("variance_type", "learned"), Change("num_train_timesteps", 1.5),
  ]) func unsupportedSchedulerKeysAreNamed(change: Change) {
    let message = message {
      _ = try importing { try edit("\($0)/scheduler/scheduler_config.json", [change.key: change.value]) }
    }
    #expect(message.contains("/scheduler/scheduler_config.json: \(change.key): "))
  }

  @Test(arguments: [
    Change("sigma_data", "auto"), Change("sigma_schedule", "exponential"), Change("prediction_type", "v_prediction"),
    Change("rho", 5), Change("_class_name", "EulerDiscreteScheduler"),
  ]) func unsupportedNoiseLevelKeysAreNamed(change: Change) {
    let configuration = smallConfiguration { $0.diffusion.process = .edm }
    let message = message {
      _ = try importing(configuration) { try edit("\($0)/scheduler/scheduler_config.json", [change.key: change.value]) }
    }
    #expect(message.contains("/scheduler/scheduler_config.json: \(change.key): "))
  }

  @Test func theDataMayHaveAnotherStandardDeviation() throws {
    let configuration = smallConfiguration { $0.diffusion.process = .edm }
    let same = try importing(configuration) { _ in }
    #expect(same.configuration.diffusion.sigmaData == nil)
    let model = try importing(configuration) {
      try edit("\($0)/scheduler/scheduler_config.json", ["sigma_data": 1.5])
    }
    #expect(model.configuration.diffusion.sigmaData == 1.5)
  }

  @Test func aSingleHeadMayHaveAnExplicitDimension() throws {
    let model = try importing { try edit("\($0)/unet/config.json", ["attention_head_dim": 16]) }
    #expect(model.network.configuration.channels == 8)
    #expect(model.network.configuration.architecture.headCount(ofChannels: 16) == 1)
  }

  @Test func headsHaveEightChannelsUnlessTheFileSaysOtherwise() throws {
    let model = try importing { try edit("\($0)/unet/config.json", ["attention_head_dim": nil]) }
    #expect(model.configuration.model.architecture.headChannels == 8)
    let four = try importing { try edit("\($0)/unet/config.json", ["attention_head_dim": 4]) }
    #expect(four.configuration.model.architecture.headChannels == 4)
    // Two equivalent notations: the exported run's is kept.
    let same = try importing(smallConfiguration { $0.model.architecture.headCount = 4 }) { _ in }
    #expect(same.configuration.model.architecture.headCount == 4)
    #expect(same.configuration.model.architecture.headChannels == nil)
  }

  @Test func attentionInTheMiddleMustHaveItsNorm() {
    let modulated = smallConfiguration { $0.model.architecture.timeConditioning = .scaleShift }
    for groups: any Sendable in [JSONNull(), 2] {
      let message = message {
        _ = try importing(modulated) { try edit("\($0)/unet/config.json", ["attn_norm_num_groups": groups]) }
      }
      #expect(message.contains("/unet/config.json: attn_norm_num_groups: "))
    }
  }

  @Test func learnedVarianceNeedsOutputChannels() {
    #expect(
      message {
        _ = try importing { try edit("\($0)/scheduler/scheduler_config.json", ["variance_type": "learned_range"]) }
      }.contains("/unet/config.json: out_channels: "))
  }

  /// Values from a folder are validated like values from a user.
  @Test(arguments: [
    ("unet/config.json", "layers_per_block", 1 << 62, "model.blocks is 4611686018427387904; it must be from 1 to 64"),
    ("unet/config.json", "layers_per_block", 0, "model.blocks is 0; it must be from 1 to 64"),
    ("unet/config.json", "norm_num_groups", -1, "model.groups is -1; it must be from 1 to 65536"),
    ("unet/config.json", "norm_num_groups", 3, "model.channels is 8, which model.groups 3 does not divide"),
    ("unet/config.json", "sample_size", 1 << 40, "model.attention_resolutions is [549755813888]; it must be"),
    (
      "scheduler/scheduler_config.json", "num_train_timesteps", 1 << 62,
      "diffusion.steps is 4611686018427387904; it must be from 2 to 1000000"
    ),
    ("scheduler/scheduler_config.json", "num_train_timesteps", 1, "diffusion.steps is 1; it must be from 2 to 1000000"),
    (
      "scheduler/scheduler_config.json", "beta_end", 2, "diffusion.beta_last is 2.0; it must be above 0.0 and below 1.0"
    ),
  ])
  func valuesFromTheFolderAreValidated(file: String, key: String, value: Int, expected: String) {
    let message = message { _ = try importing { try edit("\($0)/\(file)", [key: value]) } }
    #expect(message.contains(": " + expected) && message.hasPrefix("/"), "\(message)")
  }

  @Test func settingsMustNotContradictTheFolder() throws {
    for setting in ["model.channels=16", "model.classes=3", "diffusion.steps=500", "diffusion.prediction=data"] {
      #expect(message { _ = try importing(settings: [setting]) { _ in } }.hasPrefix("--set \(setting): "))
    }
    let model = try importing(settings: ["model.dropout=0.2", "training.steps=5", "diffusion.variance=large"]) { _ in }
    #expect(model.configuration.model.dropout == 0.2)
    #expect(model.configuration.training.steps == 5)
    #expect(model.configuration.diffusion.variance == .large)
  }

  @Test func aPickleIsRefusedWithTheCommandThatConvertsIt() {
    let message = message {
      _ = try importing { folder in
        try FileManager.default.moveItem(
          atPath: "\(folder)/unet/diffusion_pytorch_model.safetensors",
          toPath: "\(folder)/unet/diffusion_pytorch_model.bin")
      }
    }
    #expect(message.contains("diffusion_pytorch_model.bin: is a pickle"))
    #expect(message.contains("weights_only=True"))
  }

  @Test func tensorsMustMatchTheNetwork() throws {
    func changed(_ change: @escaping ([Safetensors.Tensor]) -> [Safetensors.Tensor]) -> String {
      message {
        _ = try importing { folder in
          let path = "\(folder)/unet/diffusion_pytorch_model.safetensors"
          let read = try Safetensors(readingFrom: path)
          let tensors = try read.entries.map {
            Safetensors.Tensor($0.name, shape: $0.shape, try read.floats($0.name))
          }
          try Safetensors.contents(of: change(tensors)).write(to: URL(fileURLWithPath: path))
        }
      }
    }
    #expect(changed { $0.filter { $0.name != "conv_in.bias" } }.contains("has no tensor conv_in.bias"))
    #expect(changed { $0 + [.init("add_embedding.weight", shape: [1], [0])] }.contains("tensor add_embedding.weight"))
    #expect(
      changed { $0.map { $0.name == "conv_in.bias" ? .init($0.name, shape: [8, 1], $0.values) : $0 } }
        .contains("tensor conv_in.bias is [8, 1]"))
    #expect(
      changed { $0.map { $0.name == "conv_in.bias" ? .init($0.name, shape: [8], $0.values.map { _ in .nan }) : $0 } }
        .contains("tensor conv_in.bias has values that are not finite"))
  }

  @Test func numberOfClassesMustBeKnown() throws {
    let configuration = smallConfiguration { $0.model.classes = 3 }
    /// Removes the run's configuration, as if the folder had been written by diffusers.
    func anonymous(_ folder: String) throws {
      let path = "\(folder)/unet/diffusion_pytorch_model.safetensors"
      let read = try Safetensors(readingFrom: path)
      let tensors = try read.entries.map { Safetensors.Tensor($0.name, shape: $0.shape, try read.floats($0.name)) }
      try Safetensors.contents(of: tensors).write(to: URL(fileURLWithPath: path))
    }
    #expect(message { _ = try importing(configuration, change: anonymous) }.contains("num_class_embeds: is 4"))
    #expect(
      message { _ = try importing(configuration, classCount: 2, change: anonymous) }.hasPrefix("--classes is 2"))
    #expect(message { _ = try importing(classCount: 2) { _ in } }.hasPrefix("--classes requires a network"))

    let three = try importing(configuration, classCount: 3, change: anonymous)
    #expect(three.configuration.model.classes == 3)
    #expect(!three.addedNoClass)
    let four = try importing(configuration, classCount: 4, change: anonymous)
    #expect(four.configuration.model.classes == 4)
    #expect(four.addedNoClass)
    let table = try #require(four.network.layout["class_embedding.weight"])
    let rows = four.parameters.tensor(table).elements
    #expect(table.shape == [5, 32])
    #expect(Array(rows.suffix(32)) == [Float](repeating: 0, count: 32))
    let same = try #require(three.network.layout["class_embedding.weight"])
    #expect(Array(rows.prefix(4 * 32)) == three.parameters.tensor(same).elements)
  }

  @Test func pipelinesWithOtherOrMissingPartsAreRefused() {
    #expect(
      message {
        _ = try importing { try edit("\($0)/model_index.json", ["vqvae": ["diffusers", "VQModel"]]) }
      }.contains("/model_index.json: vqvae: "))
    #expect(
      message {
        _ = try importing { try FileManager.default.removeItem(atPath: "\($0)/scheduler/scheduler_config.json") }
      }.contains("/scheduler/scheduler_config.json: there is no such file"))
    #expect(
      message { _ = try ModelImport(from: "/nowhere", sources: ConfigurationSources()) }.hasPrefix(
        "/nowhere: has neither"))
  }

  @Test func aNetworkWithoutASchedulerUsesTheConfigurationsProcess() throws {
    let configuration = smallConfiguration()
    let (network, parameters) = try network(configuration)
    let files = try PipelineExport(configuration, network: network.configuration)
      .files(parameters: parameters, step: 0, images: 0)
    try withTemporaryFolder { folder in
      try write(files, to: folder)
      let path = "\(folder)/unet/diffusion_pytorch_model.safetensors"
      let read = try Safetensors(readingFrom: path)
      let tensors = try read.entries.map { Safetensors.Tensor($0.name, shape: $0.shape, try read.floats($0.name)) }
      try Safetensors.contents(of: tensors).write(to: URL(fileURLWithPath: path))
      let sources = ConfigurationSources(settings: ["diffusion.schedule=cosine", "diffusion.prediction=velocity"])
      let model = try ModelImport(from: "\(folder)/unet/", sources: sources)
      #expect(!model.specifiesProcess)
      #expect(model.configuration.diffusion.schedule == .cosine)
      #expect(model.configuration.diffusion.prediction == .velocity)
    }
  }
}
