import Tensors

/// Images with noise added, and what a network is to be told and asked about them.
public struct NoisedImages: Sendable {
  /// What the network sees: x_t, scaled as the model says, [N, H, W, C].
  public let input: Tensor
  /// x_0.
  public let original: Tensor
  /// ε, shaped like `original`.
  public let noise: Tensor
  /// t of each image, in units of the process.
  public let times: [Double]
  /// What the network is told of them.
  public let networkTimes: [Float]
  /// What it is told of their classes; nil altogether for a network without classes.
  public let classes: [Int?]?
  /// What each image's loss counts, to make up for times that were not drawn evenly.
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
