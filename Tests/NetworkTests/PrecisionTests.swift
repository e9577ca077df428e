import Differentiation
import Diffusion
import Kernels
import Network
import Tensors
import Testing

/// Networks whose values are rounded to bfloat16, compared with single precision.
@Suite struct PrecisionTests {
  /// The root-mean-square error of a rounding to 8 bits, relative to the number: a uniform error of at most 2⁻⁸ for
  /// numbers between powers of two, whose logarithms are evenly distributed, is √(∫ 2⁻¹⁶/3 · m⁻³ dm / ln 2) over 1…2.
  static let roundingError = 1.66e-3

  private static let x = Tensor.normals([2, 12, 20, 2], seed: 1)
  private static let seed = Tensor.normals([2, 12, 20, 2], seed: 2)
  private static let times: [Float] = [0.5, -1.25]

  private static func network(_ architecture: UNetArchitecture, _ precision: Precision) -> UNet {
    UNet(
      UNetConfiguration(
        imageChannels: 2, imageHeight: 12, imageWidth: 20, channels: 16, multipliers: [1, 2, 2], blocksPerLevel: 1,
        attentionResolutions: [6], groupCount: 4, arithmetic: Arithmetic(precision: precision),
        architecture: architecture))
  }

  private struct Pass {
    let output: [Float]
    let inputGradient: [Float]
    let gradients: [Float]
    let profiler = Profiler()

    init(_ network: UNet, threads: Int = 1) {
      let gradients = Arena(network.layout)
      let tape = Tape(
        recordingWith: network.randomParameters(), gradients: gradients, workers: WorkerPool(threadCount: threads),
        profiler: profiler, arithmetic: network.arithmetic)
      let input = tape.input(x, needsGradient: true)
      let output = network(input, timesteps: times, on: tape)
      tape.unwind(from: output, seed: seed)
      self.output = output.value.elements
      inputGradient = input.inputGradient!.elements
      self.gradients = (0..<gradients.count).map { gradients[$0] }
    }

    var roundings: Int { profiler.totals[.rounding]?.calls ?? 0 }
  }

  /// ‖a − b‖ / ‖b‖.
  private func difference(_ a: [Float], _ b: [Float]) -> Double {
    func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    return norm(zip(a, b).map { Double($0) - Double($1) }) / norm(b.map(Double.init))
  }

  private static let architectures: [UNetArchitecture] = {
    var adm = UNetArchitecture.adm
    adm.headChannels = 8
    var imageSkips = UNetArchitecture.ddpm
    imageSkips.progressiveInput = .inputSkip
    imageSkips.combination = .concatenation
    imageSkips.progressiveOutput = .outputSkip
    return [.ddpm, .ncsnPlusPlus, adm, imageSkips]
  }()

  @Test(arguments: architectures) func errorsAreThoseOfIndependentRoundings(architecture: UNetArchitecture) {
    let exact = Pass(Self.network(architecture, .float32))
    let rounded = Pass(Self.network(architecture, .bfloat16), threads: 2)
    #expect(exact.roundings == 0 && rounded.roundings > 20)
    // If all roundings were in series, each passed on in full, their independent errors would add up like a random walk.
    // Few are in series, but a difference of two larger numbers amplifies errors.
    let bound = Self.roundingError * Double(rounded.roundings).squareRoot()
    let error = difference(rounded.output, exact.output)
    #expect(error < bound && error > Self.roundingError / 2)
    // A gradient has the errors of the values that it is computed from, in the forward pass and again in the backward
    // pass.
    #expect(difference(rounded.inputGradient, exact.inputGradient) < 2 * bound)
    #expect(difference(rounded.gradients, exact.gradients) < 2 * bound)
  }

  @Test(arguments: architectures) func numberOfThreadsDoesNotChangeTheBits(architecture: UNetArchitecture) {
    let network = Self.network(architecture, .bfloat16)
    let expected = Pass(network)
    for threads in [2, 3] {
      let pass = Pass(network, threads: threads)
      #expect(pass.output == expected.output)
      #expect(pass.inputGradient == expected.inputGradient && pass.gradients == expected.gradients)
    }
  }

  @Test(arguments: architectures) func theOutputIsNotRounded(architecture: UNetArchitecture) {
    let output = Pass(Self.network(architecture, .bfloat16)).output
    #expect(output.contains { BFloat16.widen(BFloat16.round($0)) != $0 })
  }

  @Test(arguments: architectures) func aTrainedNetworkUsesItsPrecision(architecture: UNetArchitecture) throws {
    let network = Self.network(architecture, .bfloat16)
    let recorded = Pass(network)
    let trained = TrainedUNet(
      network: network, parameters: network.randomParameters(), workers: WorkerPool(threadCount: 2))
    #expect(trained.output(Self.x, times: Self.times, conditions: .none).elements == recorded.output)
    let (output, pullback) = trained.outputWithPullback(Self.x, times: Self.times, conditions: .none)
    #expect(output.elements == recorded.output)
    #expect(try pullback(Self.seed).elements == recorded.inputGradient)
  }

  /// Skip connections are the values that wait longest; in single precision nothing is made again.
  @Test func skipConnectionsWaitInSixteenBits() {
    let network = Self.network(.ddpm, .bfloat16)
    let profiler = Profiler()
    let tape = Tape(
      recordingWith: network.randomParameters(), gradients: Arena(network.layout), workers: WorkerPool(threadCount: 1),
      profiler: profiler, arithmetic: network.arithmetic)
    let output = network(tape.input(Self.x), timesteps: Self.times, on: tape)
    // Those of the first convolution, three blocks and two changes of level.
    #expect(profiler.totals[.widening]!.calls == 6)
    withExtendedLifetime(output) {}
    #expect(Pass(Self.network(.ddpm, .float32)).profiler.totals[.widening] == nil)
  }

  @Test func aClassifierUsesItsPrecision() {
    func gradient(_ precision: Precision) -> [Float] {
      let network = ClassifierNetwork(Self.network(.ddpm, precision).configuration, classCount: 5)
      let classifier = TrainedClassifier(
        network: network, parameters: network.randomParameters(), workers: WorkerPool(threadCount: 2))
      return classifier.logProbabilityGradient(Self.x, times: Self.times, classes: [1, 4]).elements
    }
    let (exact, rounded) = (gradient(.float32), gradient(.bfloat16))
    let error = difference(rounded, exact)
    // It has fewer roundings than the U-Net, which has 54.
    #expect(error > Self.roundingError / 2 && error < 2 * 54.0.squareRoot() * Self.roundingError)
  }
}
