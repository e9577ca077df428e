import Differentiation
import Diffusion
import Kernels
import Network
import Tensors
import Testing

/// A whole network with both convolution methods.
@Suite struct ConvolutionMethodTests {
  /// Norm-wise relative: half of what the comparison of the same networks with PyTorch allows. Winograd's results have
  /// errors of about 50 roundings of 2⁻²⁴ (`WinogradAccuracyTests`), 3e-6, which propagate through some layers.
  static let tolerance = 5e-5

  @Test(arguments: ["unet-grey", "unet-colour", "unet-odd"])
  func methodsAgreeOnOutputAndGradients(name: String) throws {
    let fixture = try FixtureNetwork(name)
    let winograd = try Pass(fixture, .winograd)
    let direct = try Pass(fixture, .direct)
    // Otherwise it would be the same method twice.
    #expect(winograd.output != direct.output)
    #expect(difference(winograd.output, direct.output) < Self.tolerance)
    #expect(difference(winograd.inputGradient, direct.inputGradient) < Self.tolerance)
    for entry in fixture.network.layout.entries {
      let (a, b) = (winograd.gradients.tensor(entry).elements, direct.gradients.tensor(entry).elements)
      // If the exact gradient is zero, its norm cannot be the scale; another parameter's is used.
      let scale = fixture.zeroGradients[entry.name].map {
        direct.gradients.tensor(fixture.network.layout[$0]!).elements
      }
      #expect(difference(a, b, scale: scale ?? b) < Self.tolerance, "\(entry.name)")
    }
  }

  @Test func inferenceTapeUsesTheMethodToo() throws {
    let fixture = try FixtureNetwork("unet-grey")
    let recorded = try Pass(fixture, .direct)
    let tape = Tape(
      inferenceWith: fixture.parameters(), workers: WorkerPool(threadCount: 1),
      arithmetic: Arithmetic(convolutionMethod: .direct))
    let output = fixture.network(
      tape.input(try fixture.tensor("x")), timesteps: recorded.timesteps, on: tape)
    #expect(output.value.elements == recorded.output)
  }

  @Test func aTrainedNetworkUsesItsConvolutionMethod() throws {
    let fixture = try FixtureNetwork("unet-grey")
    let recorded = try Pass(fixture, .direct)
    var configuration = fixture.network.configuration
    configuration.arithmetic.convolutionMethod = .direct
    let trained = TrainedUNet(
      network: UNet(configuration), parameters: fixture.parameters(), workers: WorkerPool(threadCount: 1))
    let output = trained.output(try fixture.tensor("x"), times: recorded.timesteps, conditions: .none)
    #expect(output.elements == recorded.output)
  }

  private struct Pass {
    let timesteps: [Float]
    let output: [Float]
    let inputGradient: [Float]
    let gradients: Arena

    init(_ fixture: FixtureNetwork, _ method: ConvolutionMethod) throws {
      let x = try fixture.tensor("x")
      timesteps = (0..<x.shape[0]).map { Float(10 + 300 * $0) }
      gradients = Arena(fixture.network.layout)
      let parameters = fixture.parameters()
      let tape = Tape(
        recordingWith: parameters, gradients: gradients, workers: WorkerPool(threadCount: 2),
        arithmetic: Arithmetic(convolutionMethod: method))
      let input = tape.input(x, needsGradient: true)
      let result = fixture.network(input, timesteps: timesteps, on: tape)
      tape.unwind(from: result, seed: try fixture.tensor("target"))
      output = result.value.elements
      inputGradient = input.inputGradient?.elements ?? []
    }
  }

  /// ‖a − b‖ / ‖scale‖, by default of b.
  private func difference(_ a: [Float], _ b: [Float], scale: [Float]? = nil) -> Double {
    func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    guard a.count == b.count, !a.isEmpty else { return .infinity }
    return norm(zip(a, b).map { Double($0) - Double($1) }) / norm((scale ?? b).map(Double.init))
  }
}
