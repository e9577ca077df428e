import Tensors

/// Images with noise added, with a network's inputs and targets for them.
package struct NoisedImages: Sendable {
  /// The network's input: x_t, scaled as the model requires, [N, H, W, C].
  package let input: Tensor
  /// x_0.
  package let original: Tensor
  /// ε, shaped like `original`.
  package let noise: Tensor
  /// t of each image, in units of the process.
  package let times: [Double]
  /// The times as the network's input.
  package let networkTimes: [Float]
  /// What else the network is given.
  package let conditions: Conditions
  /// The weight of each image's loss, which corrects for times that were not drawn uniformly.
  package let weights: [Double]

  /// - Parameter weights: by default 1 for all.
  package init(
    input: Tensor, original: Tensor, noise: Tensor, times: [Double], networkTimes: [Float],
    conditions: Conditions = .none, weights: [Double]? = nil
  ) {
    self.input = input
    self.original = original
    self.noise = noise
    self.times = times
    self.networkTimes = networkTimes
    self.conditions = conditions
    self.weights = weights ?? times.map { _ in 1 }
  }
}
