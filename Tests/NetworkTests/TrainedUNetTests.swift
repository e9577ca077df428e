import Diffusion
import Network
import Tensors
import Testing

@Suite struct TrainedUNetTests {
  /// vᵀ·∂output/∂x along a direction, against central differences of the network in single precision.
  @Test(arguments: ["unet-grey", "unet-classes", "adm"])
  func theDerivativeIsThatOfTheOutput(name: String) throws {
    let fixture = try FixtureNetwork(name)
    let network = TrainedUNet(
      network: fixture.network, parameters: fixture.parameters(), workers: WorkerPool(threadCount: 2))
    let x = try fixture.tensor("x")
    let times = [Float](repeating: 500, count: x.shape[0])
    let conditions = Conditions(classes: fixture.classes)
    let vector = Tensor((0..<x.count).map { fixture.generated(tensor: 7_000_000, element: $0) }, shape: x.shape)
    let (output, pullback) = network.outputWithPullback(x, times: times, conditions: conditions)
    let derivative = try pullback(vector)
    #expect(try pullback(vector).elements == derivative.elements)
    #expect(output.elements == network.output(x, times: times, conditions: conditions).elements)
    let direction = (0..<x.count).map { fixture.generated(tensor: 7_000_001, element: $0) }
    func value(_ width: Float) -> Double {
      let moved = Tensor(zip(x.elements, direction).map { $0 + width * $1 }, shape: x.shape)
      let output = network.output(moved, times: times, conditions: conditions)
      let channels = output.shape[3]
      return (0..<x.count).reduce(0.0) { sum, index in
        sum + Double(vector.elements[index])
          * Double(output.elements[index / x.shape[3] * channels + index % x.shape[3]])
      }
    }
    func difference(_ width: Float) -> Double { (value(width) - value(-width)) / (2 * Double(width)) }
    // Richardson's extrapolation, which is free of third derivatives.
    let extrapolated = (4 * difference(0x1p-7) - difference(0x1p-6)) / 3
    let product = zip(derivative.elements, direction).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    // Sums of some hundred terms of about 1 with errors of 1e-6, amplified by the width; plus fifth derivatives.
    #expect(abs(product - extrapolated) < 5e-3 * abs(extrapolated), "\(product), not \(extrapolated)")
  }
}
