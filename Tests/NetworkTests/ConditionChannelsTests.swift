import Differentiation
import Diffusion
import Network
import Tensors
import Testing

/// Channels that a U-Net is given beside its images.
@Suite struct ConditionChannelsTests {
  struct Architecture: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let options: UNetArchitecture
  }

  /// The image enters once, or at every level in either way.
  static let architectures: [Architecture] = {
    var skips = UNetArchitecture.ncsnPlusPlus
    skips.progressiveInput = .inputSkip
    return [
      Architecture(testDescription: "DDPM", options: .ddpm),
      Architecture(testDescription: "NCSN++", options: .ncsnPlusPlus),
      Architecture(testDescription: "input skips", options: skips),
    ]
  }()

  static let times: [Float] = [0.5, -1.25]
  static let workers = WorkerPool(threadCount: 2)
  static let x = Tensor.normals([2, 8, 8, 1], seed: 1)
  static let fields = Tensor.normals([2, 8, 8, 2], seed: 2)

  private static func network(_ architecture: Architecture, conditionChannels: Int = 2) -> UNet {
    UNet(
      UNetConfiguration(
        imageChannels: 1, conditionChannels: conditionChannels, imageHeight: 8, imageWidth: 8, channels: 16,
        multipliers: [1, 2], blocksPerLevel: 1, attentionResolutions: [4], groupCount: 4,
        architecture: architecture.options))
  }

  private static func output(_ network: UNet, _ parameters: Arena, x: Tensor = x, fields: Tensor?) -> Tensor {
    TrainedUNet(network: network, parameters: parameters, workers: workers)
      .output(x, times: times, conditions: Conditions(fields: fields))
  }

  /// The parameters of a network without given channels, from those of one that has some behind the image's.
  private static func withoutGivenChannels(_ parameters: Arena, _ plain: UNet) -> Arena {
    let result = Arena(plain.layout)
    for entry in plain.layout.entries {
      let (source, target) = (parameters.tensor(parameters.layout[entry.name]!), result.tensor(entry))
      let (from, to) = (source.shape, entry.shape)
      if from == to {
        target.copy(source)
        continue
      }
      for index in 0..<entry.count {
        let (row, output) = index.quotientAndRemainder(dividingBy: to[3])
        let (tap, input) = row.quotientAndRemainder(dividingBy: to[2])
        target[index] = source[(tap * from[2] + input) * from[3] + output]
      }
    }
    return result
  }

  @Test(arguments: architectures) func hiddenChannelsAddNothing(architecture: Architecture) {
    let (full, plain) = (Self.network(architecture), Self.network(architecture, conditionChannels: 0))
    let parameters = full.randomParameters()
    let hidden = Self.output(full, parameters, fields: Tensor(shape: Self.fields.shape)).elements
    let expected = Self.output(plain, Self.withoutGivenChannels(parameters, plain), fields: nil).elements
    let given = Self.output(full, parameters, fields: Self.fields).elements
    func difference(_ a: [Float]) -> Double {
      let squares = zip(a, expected).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
      return (squares / expected.reduce(0.0) { $0 + Double($1) * Double($1) }).squareRoot()
    }
    // Single precision through a network, norm-wise relative.
    #expect(difference(hidden) < 1e-5)
    #expect(difference(given) > 0.1)
  }

  @Test(arguments: architectures) func anImageDependsOnAllOfItsGivenChannelsAndOnNoOthers(architecture: Architecture) {
    let network = Self.network(architecture)
    let parameters = network.randomParameters()
    let expected = Self.output(network, parameters, fields: Self.fields)
    for channel in 0..<2 {
      let changed = Self.fields.copied()
      // In the first image.
      changed[2 * 27 + channel] += 1
      let output = Self.output(network, parameters, fields: changed)
      #expect(output[image: 0].elements != expected[image: 0].elements)
      #expect(output[image: 1].elements == expected[image: 1].elements)
    }
  }

  @Test(arguments: architectures) func everyTapeComputesTheSame(architecture: Architecture) {
    let network = Self.network(architecture)
    let parameters = network.randomParameters()
    let expected = Self.output(network, parameters, fields: Self.fields).elements
    for recomputesBlocks in [false, true] {
      let tape = Tape(recordingWith: parameters, gradients: Arena(network.layout), workers: WorkerPool(threadCount: 1))
      let output = network(
        tape.input(Self.x), timesteps: Self.times, conditions: Conditions(fields: Self.fields),
        recomputesBlocks: recomputesBlocks, on: tape)
      #expect(output.value.elements == expected)
    }
  }

  /// The gradients of the parameters that see the given channels, along a direction, against differences of the network
  /// in single precision.
  @Test(arguments: architectures) func gradientsAreThoseOfTheOutput(architecture: Architecture) throws {
    let network = Self.network(architecture)
    let parameters = network.randomParameters()
    let gradients = Arena(network.layout)
    let tape = Tape(recordingWith: parameters, gradients: gradients, workers: Self.workers)
    let output = network(
      tape.input(Self.x), timesteps: Self.times, conditions: Conditions(fields: Self.fields), on: tape)
    let seed = Tensor.normals(output.shape, seed: 5)
    tape.unwind(from: output, seed: seed)
    let entries = network.layout.entries.filter { $0.shape.count == 4 && $0.shape[2] == 3 }
    #expect(entries.count == (architecture.options.progressiveInput == .none ? 1 : 2))
    for entry in entries {
      let (values, gradient) = (parameters.tensor(entry), gradients.tensor(entry).elements)
      let direction = Tensor.normals([entry.count], seed: 6)
      let original = values.elements
      func value(_ width: Float) -> Double {
        for index in 0..<entry.count { values[index] = original[index] + width * direction[index] }
        let moved = Self.output(network, parameters, fields: Self.fields)
        values.copy(original)
        return zip(moved.elements, seed.elements).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      }
      func slope(_ width: Float) -> Double { (value(width) - value(-width)) / (2 * Double(width)) }
      let products = zip(gradient, direction.elements).map { Double($0) * Double($1) }
      // Two widths cancel the second-order error; the output's single precision is amplified by the width.
      let difference = (4 * slope(0x1p-8) - slope(0x1p-7)) / 3
      let scale = products.reduce(0) { $0 + abs($1) }
      #expect(abs(products.reduce(0, +) - difference) < 2e-3 * scale, "\(entry.name)")
    }
  }

  /// vᵀ·∂output/∂x along a direction, with the given channels kept.
  @Test(arguments: architectures) func theDerivativeIsThatOfTheOutput(architecture: Architecture) throws {
    let network = Self.network(architecture)
    let parameters = network.randomParameters()
    let trained = TrainedUNet(network: network, parameters: parameters, workers: Self.workers)
    let (vector, direction) = (Tensor.normals(Self.x.shape, seed: 7), Tensor.normals(Self.x.shape, seed: 8))
    let conditions = Conditions(fields: Self.fields)
    let derivative = try trained.outputWithPullback(Self.x, times: Self.times, conditions: conditions).pullback(vector)
    #expect(derivative.shape == Self.x.shape)
    func value(_ width: Float) -> Double {
      let moved = Tensor(zip(Self.x.elements, direction.elements).map { $0 + width * $1 }, shape: Self.x.shape)
      let output = Self.output(network, parameters, x: moved, fields: Self.fields)
      return zip(output.elements, vector.elements).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    func slope(_ width: Float) -> Double { (value(width) - value(-width)) / (2 * Double(width)) }
    let products = zip(derivative.elements, direction.elements).map { Double($0) * Double($1) }
    let difference = (4 * slope(0x1p-8) - slope(0x1p-7)) / 3
    let scale = products.reduce(0) { $0 + abs($1) }
    #expect(abs(products.reduce(0, +) - difference) < 2e-3 * scale)
  }

  @Test func aClassifierIsGivenNoChannels() {
    let configuration = Self.network(Self.architectures[0]).configuration
    let classifier = ClassifierNetwork(configuration, classCount: 3)
    #expect(configuration.conditionChannels == 2 && classifier.configuration.conditionChannels == 0)
    #expect(classifier.layout["conv_in.weight"]?.shape == [3, 3, 1, 16])
  }

  @Test func channelsAreCopied() {
    let part = Self.fields.channels(1..<2, workers: Self.workers)
    #expect(part.shape == [2, 8, 8, 1])
    #expect(part.elements == (0..<128).map { Self.fields[2 * $0 + 1] })
  }
}
