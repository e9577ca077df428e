import Differentiation
import Diffusion
import Network
import Tensors
import Testing

/// Blocks that change the size of images, with and without a convolution on the shortcut.
@Suite struct LevelChangeTests {
  private static let times: [Float] = [3, 977]
  private static let x = Tensor.normals([2, 8, 12, 3], seed: 1)
  private static let seed = Tensor.normals([2, 8, 12, 3], seed: 2)

  private static func network(_ levelChange: UNetArchitecture.LevelChangeKind, smooths: Bool) -> UNet {
    var architecture = UNetArchitecture.adm
    architecture.levelChange = levelChange
    architecture.smoothsResampling = smooths
    architecture.headChannels = 16
    return UNet(
      UNetConfiguration(
        imageChannels: 3, imageHeight: 8, imageWidth: 12, channels: 16, multipliers: [1, 2], blocksPerLevel: 1,
        attentionResolutions: [4], groupCount: 4, architecture: architecture))
  }

  private struct Pass {
    let output: Tensor
    let inputGradient: Tensor
    let gradients: Arena

    init(_ network: UNet, _ parameters: Arena) {
      gradients = Arena(network.layout)
      let tape = Tape(
        recordingWith: parameters, gradients: gradients, workers: WorkerPool(threadCount: 2))
      let input = tape.input(x, needsGradient: true)
      let result = network(input, timesteps: times, on: tape)
      tape.unwind(from: result, seed: seed)
      output = result.value
      inputGradient = input.inputGradient!
    }
  }

  /// A product with the identity is exact.
  @Test(arguments: [false, true]) func aPlainShortcutIsThatOfBigGANWithTheIdentity(smooths: Bool) {
    let (plain, mapped) = (
      Self.network(.plainResidualBlock, smooths: smooths), Self.network(.residualBlock, smooths: smooths)
    )
    let parameters = plain.randomParameters()
    let sameParameters = Arena(mapped.layout)
    var added: [String] = []
    for entry in mapped.layout.entries {
      let target = sameParameters.tensor(entry)
      if let original = plain.layout[entry.name] {
        target.copy(parameters.tensor(original))
        continue
      }
      added.append(entry.name)
      // [1, 1, in, out].
      if entry.shape.count > 1 { for channel in 0..<entry.shape[3] { target[channel * (entry.shape[3] + 1)] = 1 } }
    }
    #expect(
      added
        == ["down_blocks.0.downsamplers", "up_blocks.0.upsamplers"].flatMap {
          ["\($0).0.conv_shortcut.weight", "\($0).0.conv_shortcut.bias"]
        })

    let (first, second) = (Pass(plain, parameters), Pass(mapped, sameParameters))
    #expect(first.output.elements == second.output.elements)
    #expect(first.inputGradient.elements == second.inputGradient.elements)
    for entry in plain.layout.entries {
      let other = second.gradients.tensor(mapped.layout[entry.name]!)
      #expect(first.gradients.tensor(entry).elements == other.elements, "\(entry.name)")
    }
    #expect(first.output.elements.contains { abs($0) > 0.1 })
  }

  /// The gradient along a direction in all parameters, against central differences in single precision.
  @Test(arguments: [false, true]) func gradientsOfParametersAreThoseOfTheOutput(smooths: Bool) {
    let network = Self.network(.plainResidualBlock, smooths: smooths)
    let parameters = network.randomParameters()
    let gradients = Pass(network, parameters).gradients
    let direction = Arena(network.layout)
    direction.fillNormal(seed: 5)
    func value(_ width: Float) -> Double {
      let moved = Arena(network.layout)
      for index in 0..<moved.count { moved[index] = parameters[index] + width * direction[index] }
      let tape = Tape(inferenceWith: moved, workers: WorkerPool(threadCount: 2))
      let output = network(tape.input(Self.x), timesteps: Self.times, on: tape).value
      return zip(output.elements, Self.seed.elements).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    }
    let width: Float = 0x1p-8
    let difference = (value(width) - value(-width)) / (2 * Double(width))
    let product = (0..<gradients.count).reduce(0.0) { $0 + Double(gradients[$1]) * Double(direction[$1]) }
    // Sums of some hundred terms of about 1 with errors of 1e-6, amplified by the width; plus third derivatives.
    #expect(abs(product - difference) < 1e-2 * abs(difference), "\(product), not \(difference)")
  }
}
