import Differentiation
import Kernels
import Network
import Tensors
import Testing

/// Blocks of the network that the backward pass recomputes.
@Suite struct RecomputationTests {
  /// DDPM's, and one with another time embedding.
  static let architectures: [UNetArchitecture] = {
    var other = UNetArchitecture.ddpm
    other.headCount = 4
    other.timeConditioning = .scaleShift
    return [.ddpm, other]
  }()

  private struct Sample {
    let network: UNet
    let parameters: Arena
    let x: Tensor
    let seed: Tensor

    init(_ architecture: UNetArchitecture, _ precision: Precision = .float32) {
      network = UNet(
        UNetConfiguration(
          imageChannels: 1, imageHeight: 8, imageWidth: 8, channels: 32, multipliers: [1, 2], blocksPerLevel: 1,
          attentionResolutions: [4], dropout: 0.3, arithmetic: Arithmetic(precision: precision),
          architecture: architecture))
      parameters = Arena(network.layout)
      // With the initial values, blocks are the identity.
      for (index, entry) in network.layout.entries.enumerated() {
        let values = parameters.tensor(entry)
        RandomStream(seed: 6, purpose: .initialisation, detail: index).fillNormal(values)
        let scale = entry.order == .c ? 0.5 : 1 / Float(entry.shape.dropLast().reduce(1, *)).squareRoot()
        for element in 0..<entry.count { values[element] *= scale }
      }
      func normals(_ seed: UInt64) -> Tensor {
        let tensor = Tensor(uninitialised: [3, 8, 8, 1])
        RandomStream(seed: seed, purpose: .noise).fillNormal(tensor)
        return tensor
      }
      (x, seed) = (normals(7), normals(8))
    }

    func forward(_ tape: Tape, recomputesBlocks: Bool) -> (input: Variable, output: Variable) {
      let input = tape.input(x, needsGradient: true)
      let dropout = Dropout(probability: 0.3, seed: 8, step: 2, firstSample: 5)
      let output = network(
        input, timesteps: [3, 999, 20], dropout: dropout, recomputesBlocks: recomputesBlocks, on: tape)
      return (input, output)
    }

    /// The output, and the gradients of the input and of all parameters; two passes into the same gradients.
    func bits(recomputesBlocks: Bool, threads: Int) -> [[UInt32]] {
      let gradients = Arena(network.layout)
      let tape = Tape(
        recordingWith: parameters, gradients: gradients, workers: WorkerPool(threadCount: threads),
        arithmetic: network.arithmetic)
      var tensors: [[Float]] = []
      for _ in 0..<2 {
        let (input, output) = forward(tape, recomputesBlocks: recomputesBlocks)
        tape.unwind(from: output, seed: seed)
        tensors += [output.value.elements, input.inputGradient!.elements]
      }
      tensors += network.layout.entries.map { gradients.tensor($0).elements }
      return tensors.map { $0.map(\.bitPattern) }
    }
  }

  @Test(arguments: architectures + [.adm], Precision.allCases)
  func recomputationDoesNotChangeTheBits(architecture: UNetArchitecture, precision: Precision) {
    let sample = Sample(architecture, precision)
    let kept = sample.bits(recomputesBlocks: false, threads: 1)
    #expect(sample.bits(recomputesBlocks: true, threads: 1) == kept)
    #expect(sample.bits(recomputesBlocks: true, threads: 2) == kept)
  }

  @Test(arguments: architectures) func forwardKernelsRunAgainExceptTheLastOfEachBlock(architecture: UNetArchitecture) {
    let sample = Sample(architecture)
    func calls(recomputesBlocks: Bool) -> [Profiler.Kind: Int] {
      let profiler = Profiler()
      let tape = Tape(
        recordingWith: sample.parameters, gradients: Arena(sample.network.layout), workers: WorkerPool(threadCount: 1),
        profiler: profiler)
      tape.unwind(from: sample.forward(tape, recomputesBlocks: recomputesBlocks).output, seed: sample.seed)
      return profiler.totals.mapValues(\.calls)
    }
    let (kept, again) = (calls(recomputesBlocks: false), calls(recomputesBlocks: true))
    // 8 blocks, of which 4 end with their second convolution and 4 with their attention's output.
    #expect(again[.convolutionForward]! - kept[.convolutionForward]! == 8 + 4)
    #expect(again[.attentionForward]! == 2 * kept[.attentionForward]!)
    for kind in [Profiler.Kind.convolutionKernelGradient, .linearMatrixGradient, .normBackward, .attentionBackward] {
      #expect(again[kind]! == kept[kind]!)
    }
  }
}
