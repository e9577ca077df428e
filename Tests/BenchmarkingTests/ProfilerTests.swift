import Benchmarking
import Configuration
import Differentiation
import Network
import Tensors
import Testing

/// Profiles of whole networks, one image at a time.
@Suite struct ProfilerTests {
  private struct Pass {
    let network: UNet
    let profiler: Profiler?
    let prediction: Tensor
    let gradients: Arena
    let duration: Duration

    /// A forward pass, followed by a backward pass when training.
    init(preset: String, channels: Int, trains: Bool, profiler: Profiler?, threads: Int = 1) throws {
      network = try Presets.named(preset).configuration.network(height: 32, width: 32, channels: channels)
      self.profiler = profiler
      let workers = WorkerPool(threadCount: threads)
      let parameters = Arena(network.layout)
      network.initialise(parameters, seed: 1, workers: workers)
      gradients = Arena(network.layout)
      let tape =
        trains
        ? Tape(recordingWith: parameters, gradients: gradients, workers: workers, profiler: profiler)
        : Tape(inferenceWith: parameters, workers: workers, profiler: profiler)
      let image = Tensor(uninitialised: [1, 32, 32, channels])
      RandomStream(seed: 2, purpose: .noise).fillNormal(image)
      let start = ContinuousClock.now
      let result = network(tape.input(image), timesteps: [500], on: tape)
      if trains { tape.unwind(from: result, seed: image) }
      duration = start.duration(to: .now)
      prediction = result.value
    }

    func direct(_ kinds: Profiler.Kind...) -> Int { sum(kinds, \.work.directArithmetic) }
    func arithmetic(_ kinds: Profiler.Kind...) -> Int { sum(kinds, \.work.arithmetic) }
    var direct: Int { sum(Array(profiler!.totals.keys), \.work.directArithmetic) }

    private func sum(_ kinds: [Profiler.Kind], _ number: (Profiler.Total) -> Int) -> Int {
      kinds.reduce(0) { $0 + (profiler!.totals[$1].map(number) ?? 0) }
    }
  }

  @Test(arguments: ArithmeticCountTests.countsOfPyTorch)
  func forwardPassHasTheArithmeticCountedByPyTorch(preset: String, channels: Int, count: Int) throws {
    let pass = try Pass(preset: preset, channels: channels, trains: false, profiler: Profiler())
    #expect(pass.direct == count)
  }

  @Test func winogradSavesThreeQuartersOfCIFAR10sConvolutions() throws {
    let pass = try Pass(preset: "cifar10", channels: 3, trains: false, profiler: Profiler())
    // 10.75 of the 12.44 GFLOP of an image are 3x3 convolutions of stride 1.
    let convolutions = Double(pass.direct(.convolutionForward, .enlargingForward)) * 1e-9
    #expect(abs(convolutions - 10.75) < 0.02 * 10.75)
    // Sides are multiples of 4, so all tiles are whole: 36 products instead of 16 x 9, or 25.
    #expect(pass.arithmetic(.convolutionForward) * 4 == pass.direct(.convolutionForward))
    #expect(pass.arithmetic(.enlargingForward) * 144 == pass.direct(.enlargingForward) * 25)
    #expect(pass.arithmetic(.linearForward) == pass.direct(.linearForward))
  }

  @Test func trainingHasThreeTimesTheArithmeticOfAForwardPass() throws {
    let pass = try Pass(preset: "cifar10", channels: 3, trains: true, profiler: Profiler())
    let layout = pass.network.layout
    let forward = ArithmeticCountTests.countsOfPyTorch[0].2
    // The gradients of the image and of the time step are not needed.
    let image = 2 * 32 * 32 * layout["conv_in.weight"]!.count
    let timestep = 2 * layout["time_embedding.linear_1.weight"]!.count
    #expect(pass.direct == 3 * forward - image - timestep)
    #expect(pass.direct(.convolutionKernelGradient) == pass.direct(.convolutionForward))
    #expect(pass.direct(.convolutionInputGradient) == pass.direct(.convolutionForward) - image)
    #expect(pass.direct(.stridedInputGradient) == pass.direct(.stridedForward))
    #expect(pass.direct(.attentionBackward) == 2 * pass.direct(.attentionForward))
  }

  @Test(arguments: [1, 2])
  func profilingChangesNoBits(threads: Int) throws {
    let plain = try Pass(preset: "shapes", channels: 3, trains: true, profiler: nil, threads: threads)
    let profiled = try Pass(preset: "shapes", channels: 3, trains: true, profiler: Profiler(), threads: threads)
    #expect(plain.prediction.elements.map(\.bitPattern) == profiled.prediction.elements.map(\.bitPattern))
    for entry in plain.network.layout.entries {
      let (a, b) = (plain.gradients.tensor(entry).elements, profiled.gradients.tensor(entry).elements)
      #expect(a.map(\.bitPattern) == b.map(\.bitPattern), "\(entry.name)")
    }
  }

  @Test func timesArePositiveAndAddUpToAtMostTheElapsedTime() throws {
    let pass = try Pass(preset: "shapes", channels: 3, trains: true, profiler: Profiler())
    let totals = pass.profiler!.totals
    // Exactly the kinds of operations on a tape.
    #expect(totals.count == 20)
    #expect(totals.values.allSatisfy { $0.seconds > 0 && $0.calls > 0 && $0.work.bytes > 0 })
    let (seconds, attoseconds) = pass.duration.components
    let passed = Double(seconds) + Double(attoseconds) * 1e-18
    let sum = totals.values.reduce(0) { $0 + $1.seconds }
    #expect(sum <= passed)
    // The time outside of all operations is small, although other programs may run meanwhile.
    #expect(sum > 0.5 * passed)
  }
}
