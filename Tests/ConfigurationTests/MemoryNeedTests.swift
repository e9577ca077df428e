import Configuration
import Failures
import Kernels
import Network
import Ranks
import Testing

@Suite struct MemoryNeedTests {
  private static let gibibyte = 1 << 30

  private func need(
    _ name: String, rankCount: Int = 1, ranksPerNode: Int = 1, _ change: (inout RunConfiguration) -> Void = { _ in }
  ) throws -> MemoryNeed {
    let preset = try Presets.named(name)
    var configuration = preset.configuration
    change(&configuration)
    let shape = try #require(preset.imageShape(for: configuration))
    let network = try configuration.network(height: shape[0], width: shape[1], channels: shape[2])
    return configuration.trainingMemory(
      network.layout, network.configuration, rankCount: rankCount, ranksPerNode: ranksPerNode)
  }

  /// On one rank, with its default micro-batch; all but the one that is for a cluster.
  @Test(arguments: Presets.all.map(\.name).filter { $0 != "imagenet64-adm" })
  func everyPresetFitsIntoTheMemoryOfAnOrdinaryMachine(name: String) throws {
    let limits = MemoryLimits([.init(bytes: 8 * Self.gibibyte, owner: "this machine", rankCount: 1)])
    try need(name).require(limits)
    let network = try Presets.named(name).configuration.network(height: 32, width: 32, channels: 3)
    try MemoryNeed.inference(network, batch: 32, option: "--batch").require(limits)
  }

  /// 295,905,222 weights take 1.10 GiB; so do their gradients. Two moments and an average take 3.31 GiB, divided among
  /// ranks. The activations of an image take 0.19 GiB, or half of that if blocks are recomputed.
  @Test(arguments: [(2, "none", 4.05), (2, "blocks", 3.95), (1, "none", 5.70)])
  func aStepOfTheLargestPresetFitsIntoTheMemoryOfTwoRanks(
    rankCount: Int, recomputation: String, gibibytes: Double
  ) throws {
    let need = try self.need("imagenet64-adm", rankCount: rankCount) {
      $0.training.batch = 2
      $0.training.microBatch = 1
      $0.training.recomputeActivations = .init(rawValue: recomputation)!
    }
    #expect(abs(need.bytes / Double(Self.gibibyte) - gibibytes) < 0.005)
  }

  /// Two ranks of a node share weights. With one micro-batch for each, which takes less than the gradients, they can give
  /// gradients back as these are added up: 1.10 GiB at first, of which activations take 0.19 over.
  @Test(arguments: [(2, true, 3.31), (4, true, 3.50), (2, false, 3.50)])
  func ranksOfANodeShareWeightsAndMayGiveGradientsBack(batch: Int, releases: Bool, gibibytes: Double) throws {
    let need = try self.need("imagenet64-adm", rankCount: 2, ranksPerNode: 2) {
      $0.training.batch = batch
      $0.training.microBatch = 1
      $0.training.releasesGradients = releases
    }
    #expect(abs(need.bytes / Double(Self.gibibyte) - gibibytes) < 0.005)
  }

  /// Kept values take half, but the largest value, of 32 x 32 pixels with 256 channels, is also there as floats while it
  /// is used: three times with its gradient and its normalised value, and once more if only 16 bits of it are kept.
  @Test func valuesInBFloat16TakeHalfTheMemoryOfFloats() throws {
    func count(_ precision: Precision) throws -> ActivationCount {
      var configuration = try Presets.named("cifar10").configuration
      configuration.model.precision = precision
      let network = try configuration.network(height: 32, width: 32, channels: 3)
      return ActivationCount(network.layout, network.configuration)
    }
    let (floats, halves, largest) = (try count(.float32), try count(.bfloat16), 32.0 * 32 * 256)
    for passes: (ActivationCount) -> Double in [\.training, \.trainingWithRecomputedBlocks] {
      #expect(passes(halves) - 4 * largest == (passes(floats) - 3 * largest) / 2)
    }
  }

  /// A rank of 256 has one micro-batch.
  @Test func theLargestPresetFitsIntoAClustersMachines() throws {
    let limits = MemoryLimits([.init(bytes: 32 * Self.gibibyte, owner: "node1", rankCount: 8)])
    try need("imagenet64-adm", rankCount: 256).require(limits)
  }

  @Test func excessiveMemoryIsRefusedWithKeysAndFigures() throws {
    let need = try need("cifar10") {
      $0.training.microBatch = 1024; $0.training.batch = 1024
    }
    let one = MemoryLimits([.init(bytes: 8 * Self.gibibyte, owner: "node1", rankCount: 1)])
    #expect {
      try need.require(one)
    } throws: {
      let text = "\($0)"
      return text.hasPrefix("this takes at least ") && text.contains("of memory, but node1 has 8.0 GiB: ")
        && text.hasSuffix(" for the activations of training.micro_batch 1024 images of 32x32x3")
    }
    // A job that fits alone need not fit twice.
    let small = try self.need("cifar10")
    let bytes = Int(small.bytes * 1.5)
    try small.require(MemoryLimits([.init(bytes: bytes, owner: "node1", rankCount: 1)]))
    #expect {
      try small.require(
        MemoryLimits([
          .init(bytes: 8 * bytes, owner: "node1", rankCount: 2), .init(bytes: bytes, owner: "its group", rankCount: 2),
        ]))
    } throws: {
      "\($0)".contains("on each of the 2 ranks there, but its group has")
    }
  }

  /// The largest network that the keys allow, and the largest images.
  @Test func memoryOfTheLargestNetworkDoesNotOverflow() throws {
    var configuration = RunConfiguration()
    configuration.model.channels = 65536
    configuration.model.multipliers = [Int](repeating: 1, count: 15)
    configuration.model.blocks = 64
    configuration.model.attentionResolutions = []
    configuration.training.batch = 1 << 20
    configuration.training.microBatch = 1 << 20
    try configuration.validate()
    let network = try configuration.network(height: 16384, width: 16384, channels: 1024)
    let need = configuration.trainingMemory(network.layout, network.configuration, rankCount: 1)
    #expect(need.bytes > 1e20)
    #expect(throws: InputError.self) { try need.require(.alone) }
  }
}
