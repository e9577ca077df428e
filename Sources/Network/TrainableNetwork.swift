import Differentiation
import Kernels
import Tensors

/// A network as whoever trains it, stores it or shares it out sees it.
public protocol TrainableNetwork: Sendable {
  /// Of its parameters.
  var layout: ParameterLayout { get }
  /// For the tapes on which it is to run.
  var convolutionMethod: ConvolutionMethod { get }
  /// Draws the initial values of all parameters, a function of the seed alone.
  func initialise(_ parameters: Arena, seed: UInt64, workers: WorkerPool)
}
