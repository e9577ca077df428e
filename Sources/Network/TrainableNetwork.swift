import Differentiation
import Kernels
import Tensors

/// A network as training, storage and sharding see it.
public protocol TrainableNetwork: Sendable {
  /// The layout of its parameters.
  var layout: ParameterLayout { get }
  /// The convolution method of the tapes that it runs on.
  var convolutionMethod: ConvolutionMethod { get }
  /// Draws the initial values of all parameters, which depend only on the seed.
  func initialise(_ parameters: Arena, seed: UInt64, workers: WorkerPool)
}
