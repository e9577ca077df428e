import Kernels
import Tensors

/// A network as training, storage and sharding see it.
package protocol TrainableNetwork: Sendable {
  var configuration: UNetConfiguration { get }
  var declarations: ParameterDeclarations { get }
}

extension TrainableNetwork {
  /// The layout of its parameters.
  package var layout: ParameterLayout { declarations.layout }
  /// The arithmetic of the tapes that it runs on.
  package var arithmetic: Arithmetic { configuration.arithmetic }

  /// Draws the initial values of all parameters, which depend only on the seed.
  package func initialise(_ parameters: Arena, seed: UInt64, workers: WorkerPool) {
    declarations.initialise(parameters, seed: seed, workers: workers)
  }
}
