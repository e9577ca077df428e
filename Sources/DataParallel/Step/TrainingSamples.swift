import Diffusion
import Network
import Tensors

/// Some samples of a batch, before noise is added.
package struct TrainingSamples: Sendable {
  /// x_0, [n, H, W, C].
  package let images: Tensor
  /// What the network is given of each.
  package let conditions: Conditions

  package init(images: Tensor, conditions: Conditions = .none) {
    self.images = images
    self.conditions = conditions
  }

  /// Samples of a data set with given channels.
  /// - Parameters:
  ///   - values: [n, H, W, C + k]: the given channels are the last ones.
  ///   - conditionChannels: k; with 0, the images are `values` themselves.
  ///   - hidesFields: whether the network gets zeros instead of the given channels of a row.
  package init(
    _ values: Tensor, conditionChannels: Int, classes: [Int?]?, hidesFields: (_ row: Int) -> Bool,
    workers: WorkerPool
  ) {
    guard conditionChannels > 0 else {
      self.init(images: values, conditions: Conditions(classes: classes))
      return
    }
    let all = values.shape[3]
    let drawn = all - conditionChannels
    let fields = values.channels(drawn..<all, workers: workers)
    for row in 0..<fields.shape[0] where hidesFields(row) { fields[image: row].fill(0) }
    self.init(
      images: values.channels(0..<drawn, workers: workers), conditions: Conditions(classes: classes, fields: fields))
  }
}
