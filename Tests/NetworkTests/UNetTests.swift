import Differentiation
import Diffusion
import Foundation
import HDF5
import Network
import Tensors
import Testing

private func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }

private func relativeError(_ a: [Double], _ b: [Double]) -> Double {
  norm(zip(a, b).map { $0 - $1 }) / norm(b)
}

private func doubles(_ tensor: Tensor) -> [Double] { tensor.elements.map(Double.init) }

/// Agreement with diffusers' `UNet2DModel`, and with the networks of Song et al. and of Dhariwal and Nichol, run in double
/// precision.
@Suite(.serialized) struct UNetTests {
  /// Norm-wise relative. PyTorch's own single precision has errors of up to 6e-6 on these networks.
  static let tolerance = 1e-4

  static let scoreSDE = [
    "ddpmpp", "ncsnpp", "skips", "smooth-convolutions", "plain-convolutions", "plain-skips",
  ].map { "score-sde-\($0)" }

  @Test(arguments: ["unet-grey", "unet-colour", "unet-odd", "unet-classes", "unet-improved", "adm"] + scoreSDE)
  func agreesWithPyTorch(name: String) throws {
    let fixture = try FixtureNetwork(name)
    let parameters = fixture.parameters()
    try expectParametersMatch(fixture, parameters)
    let gradients = Arena(fixture.network.layout)
    let workers = WorkerPool(threadCount: 2)

    let tape = Tape(recordingWith: parameters, gradients: gradients, workers: workers)
    let x = tape.input(try fixture.tensor("x"), needsGradient: true)
    let timesteps = try readTimesteps(fixture)
    let output = fixture.network(x, timesteps: timesteps, conditions: Conditions(classes: fixture.classes), on: tape)
    let outputError = relativeError(doubles(output.value), doubles(try fixture.tensor("output")))
    #expect(outputError < Self.tolerance)

    let target = try fixture.tensor("target")
    let count = Double(target.count)
    let seed = Tensor(
      zip(output.value.elements, target.elements).map { Float(2 * (Double($0) - Double($1)) / count) },
      shape: target.shape)
    let loss = zip(output.value.elements, target.elements)
      .reduce(0.0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) / count }
    #expect(abs(loss - Double(try fixture.tensor("loss").elements[0])) < 1e-5 * loss)

    tape.unwind(from: output, seed: seed)
    let inputError = relativeError(doubles(x.inputGradient!), doubles(try fixture.tensor("gradient_x")))
    #expect(inputError < Self.tolerance)

    for (index, parameter) in fixture.parameterShapes.enumerated() {
      try expectGradientAgrees(fixture, index, parameter.name, gradients)
    }
  }

  @Test(arguments: [
    "unet-grey", "unet-odd", "unet-classes", "unet-improved", "adm", "score-sde-ncsnpp", "score-sde-plain-skips",
  ])
  func inferenceEqualsTheRecordedForwardPass(name: String) throws {
    let fixture = try FixtureNetwork(name)
    let parameters = fixture.parameters()
    let workers = WorkerPool(threadCount: 1)
    let timesteps = try readTimesteps(fixture)
    let input = try fixture.tensor("x")
    let recording = Tape(recordingWith: parameters, gradients: nil, workers: workers)
    let expected = fixture.network(
      recording.input(input), timesteps: timesteps, conditions: Conditions(classes: fixture.classes), on: recording
    ).value.elements
    let tape = Tape(inferenceWith: parameters, workers: workers)
    #expect(
      fixture.network(
        tape.input(input), timesteps: timesteps, conditions: Conditions(classes: fixture.classes), on: tape
      ).value.elements == expected)
  }

  @Test(arguments: ["unet-colour", "unet-improved"] + scoreSDE)
  func anImageDoesNotDependOnItsBatchOrTheThreads(name: String) throws {
    let fixture = try FixtureNetwork(name)
    let parameters = fixture.parameters()
    let input = try fixture.tensor("x")
    let timesteps = try readTimesteps(fixture)
    func run(_ x: Tensor, _ t: [Float], threads: Int) -> [Float] {
      let tape = Tape(inferenceWith: parameters, workers: WorkerPool(threadCount: threads))
      return fixture.network(tape.input(x), timesteps: t, on: tape).value.elements
    }
    let together = run(input, timesteps, threads: 1)
    #expect(run(input, timesteps, threads: 3) == together)
    func part(_ values: [Float], _ image: Int) -> [Float] {
      let count = values.count / timesteps.count
      return Array(values[image * count..<(image + 1) * count])
    }
    for image in timesteps.indices {
      let alone = Tensor(part(input.elements, image), shape: [1] + input.shape.dropFirst())
      #expect(run(alone, [timesteps[image]], threads: 2) == part(together, image))
    }
  }

  @Test func originalNetworkHasTheKnownNumberOfParameters() throws {
    let network = UNet(
      UNetConfiguration(
        imageChannels: 3, imageHeight: 32, imageWidth: 32, channels: 128, multipliers: [1, 2, 2, 2],
        blocksPerLevel: 2, attentionResolutions: [16], dropout: 0.1))
    #expect(network.layout.parameterCount == 35_746_307)
    let list = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/unet-names.txt")
    let expected = try String(contentsOf: list, encoding: .utf8).split(separator: "\n").map(String.init)
    let actual = network.layout.entries
      .map { "\($0.name) \($0.shape.map(String.init).joined(separator: "x"))" }
    #expect(Set(actual) == Set(expected))
  }

  /// The numbers of parameters of the public networks of Song et al. for CIFAR-10, and of Karras et al. without
  /// augmentation.
  @Test(arguments: [
    (UNetArchitecture.ddpmPlusPlus, [1, 2, 2, 2], 4, 61_804_419), (.ddpmPlusPlus, [1, 2, 2, 2], 8, 106_632_579),
    (.ncsnPlusPlus, [1, 2, 2, 2], 4, 62_758_915), (.ncsnPlusPlus, [1, 2, 2, 2], 8, 107_587_075),
    (.ddpmPlusPlus, [2, 2, 2], 4, 55_732_739),
  ])
  func continuousTimeNetworksHaveTheKnownNumbersOfParameters(
    architecture: UNetArchitecture, multipliers: [Int], blocks: Int, count: Int
  ) {
    let network = UNet(
      UNetConfiguration(
        imageChannels: 3, imageHeight: 32, imageWidth: 32, channels: 128, multipliers: multipliers,
        blocksPerLevel: blocks, attentionResolutions: [16], architecture: architecture))
    #expect(network.layout.parameterCount == count)
  }

  /// The number of parameters of diffusers' `UNet2DModel` with these options, and of the network in Nichol and
  /// Dhariwal's code.
  @Test func improvedNetworkHasTheKnownNumberOfParameters() {
    var architecture = UNetArchitecture.ddpm
    architecture.headCount = 4
    architecture.timeConditioning = .scaleShift
    let network = UNet(
      UNetConfiguration(
        imageChannels: 3, imageHeight: 32, imageWidth: 32, channels: 128, multipliers: [1, 2, 2, 2],
        blocksPerLevel: 3, attentionResolutions: [16, 8], outputChannels: 6, architecture: architecture))
    #expect(network.layout.parameterCount == 52_546_438)
  }

  /// The number of parameters of the network for ImageNet at 64x64 in the code of Dhariwal and Nichol, which table 11
  /// gives as 296 million. With r(i, o) = 9·i·o + 9·o² + 2·i + 1542·o for a residual block, with i·o + o in addition where
  /// o ≠ i, and a(c) = 4·c² + 6·c for an attention:
  ///
  ///     time: 192·768 + 768 + 768² + 768                                                         738,816
  ///     classes: 1000·768                                                                        768,000
  ///     first convolution: 9·3·192 + 192                                                           5,376
  ///     64x64, 192 channels, down: 4·r(192, 192)                                               3,840,000
  ///     32x32, 384: r(192, 384) + 3·r(384, 384) + 3·a(384)                                    14,174,976
  ///     16x16, 576: r(384, 576) + 3·r(576, 576) + 3·a(576)                                    30,662,976
  ///     8x8, 768: r(576, 768) + 2·r(768, 768) + 3·a(768)                                      41,615,232
  ///     middle: 2·r(768, 768) + a(768)                                                        25,969,152
  ///     8x8, up: 3·r(1536, 768) + r(1344, 768) + r(768, 768) + 4·a(768)                       92,955,264
  ///     16x16: r(1344, 576) + 2·r(1152, 576) + r(960, 576) + r(576, 576) + 4·a(576)           54,233,856
  ///     32x32: r(960, 384) + 2·r(768, 384) + r(576, 384) + r(384, 384) + 4·a(384)             25,096,704
  ///     64x64: r(576, 192) + 3·r(384, 192)                                                     5,833,344
  ///     last normalisation and convolution: 2·192 + 9·192·6 + 6                                   10,758
  @Test func networkOfADMHasTheKnownNumberOfParameters() {
    func network(_ architecture: UNetArchitecture) -> UNet {
      UNet(
        UNetConfiguration(
          imageChannels: 3, imageHeight: 64, imageWidth: 64, channels: 192, multipliers: [1, 2, 3, 4],
          blocksPerLevel: 3, attentionResolutions: [32, 16, 8], dropout: 0.1, outputChannels: 6, classCount: 1000,
          architecture: architecture))
    }
    // Our table of classes has a row for no class.
    #expect(network(.adm).layout.parameterCount == 295_904_454 + 768)
    // BigGAN's shortcuts have a convolution wherever the size changes.
    var mapped = UNetArchitecture.adm
    mapped.levelChange = .residualBlock
    let channels = [192, 384, 576, 768, 576, 384]
    let additional = channels.reduce(0) { $0 + $1 * $1 + $1 }
    #expect(network(mapped).layout.parameterCount == 295_904_454 + 768 + additional)
  }

  @Test func initialisationFollowsTheOriginal() {
    let network = UNet(
      UNetConfiguration(
        imageChannels: 1, imageHeight: 16, imageWidth: 16, channels: 32, multipliers: [1, 2], blocksPerLevel: 1,
        attentionResolutions: [8]))
    let arenas = [1, 3].map { threads in
      let arena = Arena(network.layout)
      network.initialise(arena, seed: 7, workers: WorkerPool(threadCount: threads))
      return arena
    }
    for entry in network.layout.entries {
      let values = arenas[0].tensor(entry).elements.map(Double.init)
      #expect(values == arenas[1].tensor(entry).elements.map(Double.init))
      let isScale = entry.order == .c && entry.name.contains("norm") && entry.name.hasSuffix("weight")
      if entry.order == .c {
        #expect(values.allSatisfy { $0 == (isScale ? 1 : 0) })
      } else {
        let taps = entry.shape.dropLast(2).reduce(1, *)
        let fan = Double(taps * entry.shape.suffix(2).reduce(0, +)) / 2
        let isLast = ["conv2.weight", "to_out.0.weight", "conv_out.weight"].contains { entry.name.hasSuffix($0) }
        let limit = (3 * (isLast ? 1e-10 : 1) / fan).squareRoot()
        #expect(values.allSatisfy { abs($0) <= limit * 1.000001 })
        // The variance of a uniform number is limit²/3; five standard errors.
        let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
        #expect(abs(variance / (limit * limit / 3) - 1) < 5 * (0.8 / Double(values.count)).squareRoot())
      }
    }
  }

  @Test func initialisationOfNCSNPlusPlusFollowsItsCode() {
    let network = UNet(
      UNetConfiguration(
        imageChannels: 3, imageHeight: 8, imageWidth: 8, channels: 256, multipliers: [1, 1], blocksPerLevel: 1,
        attentionResolutions: [4], architecture: .ncsnPlusPlus))
    let arena = Arena(network.layout)
    network.initialise(arena, seed: 7, workers: WorkerPool(threadCount: 2))
    func meanSquare(_ name: String) -> Double {
      let values = arena.tensor(network.layout[name]!).elements.map(Double.init)
      return values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
    }
    // N(0, 16²); the mean of 256 squares of normal numbers has a relative standard deviation of √(2/256), times three.
    #expect(abs(meanSquare("time_proj.weight") / 256 - 1) < 3 * (2.0 / 256).squareRoot())
    // Uniform numbers of variance scale/fan; 65536 of them, whose squares have a relative standard deviation of 0.9.
    for (name, scale) in [("to_q", 0.1), ("to_k", 0.1), ("to_v", 0.1), ("to_out.0", 1e-10)] {
      #expect(abs(meanSquare("mid_block.attentions.0.\(name).weight") / (scale / 256) - 1) < 5 * 0.9 / 256)
    }
    // Fans of 9 taps times 3 and 256 channels; 6912 numbers.
    let fan = 9 * (3.0 + 256) / 2
    #expect(abs(meanSquare("down_blocks.0.skip_conv.weight") * fan - 1) < 5 * 0.9 / 6912.0.squareRoot())
  }

  private func readTimesteps(_ fixture: FixtureNetwork) throws -> [Float] {
    if try fixture.contains("times") { return try fixture.tensor("times").elements }
    let file = try HDF5File.open(fixture.path)
    let dataset = try file.openDataset("timesteps")
    let values = try dataset.readAll(as: Int64.self)
    try dataset.close()
    return values.map(Float.init)
  }

  private func expectParametersMatch(_ fixture: FixtureNetwork, _ parameters: Arena) throws {
    let names = Set(fixture.network.layout.entries.map(\.name))
    #expect(names == Set(fixture.parameterShapes.map(\.name)))
    let probes = try fixture.tensor("parameter_probes").elements
    for (index, parameter) in fixture.parameterShapes.enumerated() {
      let entry = fixture.network.layout[parameter.name]!
      #expect(entry.shape == parameter.shape)
      let values = parameters.tensor(entry).elements
      #expect(values.first == probes[2 * index] && values.last == probes[2 * index + 1])
    }
  }

  private func expectGradientAgrees(
    _ fixture: FixtureNetwork, _ index: Int, _ name: String, _ gradients: Arena
  ) throws {
    let entry = gradients.layout[name]!
    let gradient = gradients.tensor(entry).elements.map(Double.init)
    if let yardstick = fixture.zeroGradients[name] {
      let scale = norm(gradients.tensor(gradients.layout[yardstick]!).elements.map(Double.init))
      #expect(norm(gradient) < Self.tolerance * scale, "\(name)")
    } else if try fixture.contains("gradients/\(name)") {
      let error = relativeError(gradient, doubles(try fixture.tensor("gradients/\(name)")))
      #expect(error < Self.tolerance, "\(name)")
    } else {
      let sketch = try fixture.tensor("gradient_sketches/\(name)")
      let columns = entry.shape.last!
      let width = sketch.shape.last!
      var product = [Double](repeating: 0, count: sketch.count)
      for row in 0..<entry.count / columns {
        for column in 0..<columns {
          for k in 0..<width {
            let direction = Double(fixture.generated(tensor: 3_000_000 + index, element: column * width + k))
            product[row * width + k] += gradient[row * columns + column] * direction
          }
        }
      }
      #expect(relativeError(product, doubles(sketch)) < Self.tolerance, "\(name)")
    }
  }
}
