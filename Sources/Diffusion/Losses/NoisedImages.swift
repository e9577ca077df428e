import Tensors

/// Images with noise added, with a network's inputs and targets for them.
public struct NoisedImages: Sendable {
  /// The network's input: x_t, scaled as the model requires, [N, H, W, C].
  public let input: Tensor
  /// x_0.
  public let original: Tensor
  /// ε, shaped like `original`.
  public let noise: Tensor
  /// t of each image, in units of the process.
  public let times: [Double]
  /// The times as the network's input.
  public let networkTimes: [Float]
  /// The classes as the network's input; nil for a network without classes.
  public let classes: [Int?]?
  /// The weight of each image's loss, which corrects for times that were not drawn uniformly.
  public let weights: [Double]

  /// - Parameter weights: by default 1 for all.
  public init(
    input: Tensor, original: Tensor, noise: Tensor, times: [Double], networkTimes: [Float],
    classes: [Int?]? = nil, weights: [Double]? = nil
  ) {
    self.input = input
    self.original = original
    self.noise = noise
    self.times = times
    self.networkTimes = networkTimes
    self.classes = classes
    self.weights = weights ?? times.map { _ in 1 }
  }
}
