import Diffusion
import RealModule
import Tensors
import Testing

/// The derivative that likelihoods need, for all predictions and processes.
@Suite struct DerivativeTests {
  /// out_i = sin((1 + class + field_i)·x_i) + 0.3·x_{i+1}·x_i + t/1000, for each image separately.
  struct SmallNetwork: DifferentiableNetwork {
    private func factor(_ conditions: Conditions, _ index: Int, _ size: Int) -> Double {
      Double(conditions.classes?[index / size].map { 2 + $0 } ?? 1) + Double(conditions.fields?[index] ?? 0)
    }

    private func neighbour(_ index: Int, _ size: Int) -> Int { index / size * size + (index + 1) % size }

    func output(_ x: Tensor, times: [Float], conditions: Conditions) -> Tensor {
      let size = x.count / times.count
      return Tensor(
        (0..<x.count).map { index in
          let value = Double(x.elements[index])
          return Float(
            Double.sin(factor(conditions, index, size) * value)
              + 0.3 * Double(x.elements[neighbour(index, size)]) * value + Double(times[index / size]) / 1000)
        }, shape: x.shape)
    }

    func outputWithPullback(
      _ x: Tensor, times: [Float], conditions: Conditions
    ) -> (output: Tensor, pullback: (_ vector: Tensor) throws -> Tensor) {
      (
        output(x, times: times, conditions: conditions),
        { derivative(x, times: times, conditions: conditions, vector: $0) }
      )
    }

    private func derivative(_ x: Tensor, times: [Float], conditions: Conditions, vector: Tensor) -> Tensor {
      let size = x.count / times.count
      var derivative = [Double](repeating: 0, count: x.count)
      for index in 0..<x.count {
        let (value, weight) = (Double(x.elements[index]), Double(vector.elements[index]))
        let factor = factor(conditions, index, size)
        let next = neighbour(index, size)
        derivative[index] += weight * (factor * Double.cos(factor * value) + 0.3 * Double(x.elements[next]))
        derivative[next] += weight * 0.3 * value
      }
      return Tensor(derivative.map(Float.init), shape: x.shape)
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let model: ModelDescription
    let guidance: Guidance
  }

  static let cases: [Case] = ProcessTests.sdes.flatMap { named -> [Case] in
    let parametrisations: [ModelDescription.Parametrisation] =
      named.process.timeIsSigma
      ? [.preconditioned(sigmaData: 0.5)]
      : Prediction.allCases.filter { $0 != .mean || named.process.discrete != nil }.map { .prediction($0) }
    let both = Conditions(classes: [0, 2], fields: normals([2, 2, 2, 1], seed: 9).single)
    let guidances: [(String, Guidance)] = [
      ("none", .none), ("conditional", .conditional(Conditions(classes: [1, nil]))),
      ("classifier-free", .free([0, 2], scale: 1.5)),
      ("fields", .conditional(Conditions(fields: both.fields))),
      ("classifier-free fields", .classifierFree(both, from: both.hidden(classes: true, fields: true), scale: 1.5)),
    ]
    return parametrisations.flatMap { parametrisation in
      guidances.map { name, guidance in
        Case(
          testDescription: "\(named.testDescription), \(parametrisation), \(name)",
          model: ModelDescription(process: named.process, parametrisation: parametrisation), guidance: guidance)
      }
    }
  }

  @Test(arguments: cases, [Estimate.Part.original, .noise])
  func theDerivativeIsThatOfTheEstimate(_ test: Case, _ part: Estimate.Part) throws {
    let denoiser = NetworkDenoiser(network: SmallNetwork(), model: test.model, guidance: test.guidance)
    let range = test.model.process.times
    let times = [0.3, 0.8].map { (range.lowerBound + (range.upperBound - range.lowerBound) * $0).rounded(.up) }
    let x = normals([2, 2, 2, 1], seed: 3)
    let probe = normals([2, 2, 2, 1], seed: 4)
    let clamped = times.map { min($0, range.upperBound) }
    let (estimate, pullback) = try denoiser.estimateWithPullback(x, at: clamped, images: [0, 1])
    let derivative = try pullback(part, probe)
    let plain = try denoiser.estimate(x, at: clamped, images: [0, 1])
    #expect(estimate.noise == plain.noise && estimate.original == plain.original)
    // Directional differences: Σ derivative·d against the change of Σ probe·part along d. The network computes in single
    // precision, so the width is large, and two widths together cancel the second-order error.
    for seed in 5..<8 as Range<UInt64> {
      let direction = normals([2, 2, 2, 1], seed: seed)
      func slope(_ width: Double) throws -> Double {
        let values = try [width, -width].map { width in
          let moved = try denoiser.estimate(DoubleTensor(x + width * direction), at: clamped, images: [0, 1])
          let values = part == .noise ? moved.noise : moved.original
          return zip(values.elements, probe.elements).reduce(0) { $0 + $1.0 * $1.1 }
        }
        return (values[0] - values[1]) / (2 * width)
      }
      let difference = (4 * (try slope(0x1p-7)) - (try slope(0x1p-6))) / 3
      let product = zip(derivative.elements, direction.elements).reduce(0) { $0 + $1.0 * $1.1 }
      let scale = zip(derivative.elements, direction.elements).reduce(0) { $0 + abs($1.0 * $1.1) }
      // What the network's rounding does to the smaller difference: x̂_0 is σ times as large as ε̂ where σ is large.
      let values = part == .noise ? estimate.noise : estimate.original
      let rounding =
        zip(values.elements, probe.elements).reduce(0) { $0 + abs($1.0 * $1.1) } * Double(Float.ulpOfOne) / 0x1p-7
      #expect(abs(product - difference) < 5e-4 * (1 + scale) + rounding, "\(product), not \(difference)")
    }
  }
}
