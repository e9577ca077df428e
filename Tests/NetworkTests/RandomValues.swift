import Network
import Tensors

extension TrainableNetwork {
  /// Random parameters. Those of a new network would give almost zero.
  func randomParameters(seed: UInt64 = 3) -> Arena {
    let arena = Arena(layout)
    initialise(arena, seed: seed, workers: WorkerPool(threadCount: 1))
    arena.fillNormal(seed: seed + 1) { $0.shape.count > 1 }
    return arena
  }
}

extension Arena {
  /// Fills parameters with normal numbers that are divided by the root of the number of a layer's inputs, so that values
  /// keep their size from layer to layer.
  func fillNormal(seed: UInt64, where isFilled: (ParameterEntry) -> Bool = { _ in true }) {
    for (index, entry) in layout.entries.enumerated() where isFilled(entry) {
      let values = tensor(entry)
      RandomStream(seed: seed, purpose: .initialisation, detail: index).fillNormal(values)
      let scale = 1 / Float(entry.shape.dropLast().reduce(1, *)).squareRoot()
      for element in 0..<entry.count { values[element] *= scale }
    }
  }
}

extension Tensor {
  /// Normal numbers.
  static func normals(_ shape: [Int], seed: UInt64) -> Tensor {
    let tensor = Tensor(uninitialised: shape)
    RandomStream(seed: seed, purpose: .latents).fillNormal(tensor)
    return tensor
  }
}
