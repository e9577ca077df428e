import Tensors

/// How a parameter is initialised.
enum Initialisation: Sendable {
  case zeros
  case ones
  /// Uniform on ±√(3·scale / ((fanIn + fanOut)/2)): variance scaling over the average of both fans, as in the original
  /// DDPM code.
  case fanAverageUniform(scale: Double)
  /// N(0, deviation²).
  case normal(standardDeviation: Double)

  /// For the last layer of a block: near zero, so that the block starts as the identity.
  static let nearZero = fanAverageUniform(scale: 1e-10)
}

/// Collects the parameters of a network in the order of declaration, with their initial values.
package struct ParameterDeclarations: Sendable {
  private(set) var layout = ParameterLayout()
  private var initialisations: [Initialisation] = []

  mutating func add(
    _ name: String, shape: [Int], order: DimensionOrder, initialisation: Initialisation
  ) -> ParameterEntry {
    initialisations.append(initialisation)
    return layout.add(name, shape: shape, order: order)
  }

  /// Draws all initial values; parameter i uses stream i of the purpose `initialisation`.
  func initialise(_ arena: Arena, seed: UInt64, workers: WorkerPool) {
    arena.clear()
    workers.forEach(layout.entries.count) { index in
      let entry = layout.entries[index]
      let target = arena.tensor(entry)
      let stream = RandomStream(seed: seed, purpose: .initialisation, detail: index)
      switch initialisations[index] {
      case .zeros: break
      case .ones: target.fill(1)
      case .fanAverageUniform(let scale):
        stream.fillUniform(target)
        let limit = Float((3 * scale / entry.averageFan).squareRoot())
        for i in 0..<entry.count { target[i] = limit * (2 * target[i] - 1) }
      case .normal(let standardDeviation):
        stream.fillNormal(target)
        if standardDeviation != 1 { for i in 0..<entry.count { target[i] *= Float(standardDeviation) } }
      }
    }
  }
}

extension ParameterEntry {
  /// (inputs + outputs)/2 of one output element, counting every tap of a kernel.
  fileprivate var averageFan: Double {
    let taps = shape.dropLast(2).reduce(1, *)
    return Double(taps * shape[shape.count - 2] + taps * shape[shape.count - 1]) / 2
  }
}
