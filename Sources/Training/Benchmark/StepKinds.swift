import Differentiation

/// The kinds of operations of a step beside those on a tape.
extension Profiler.Kind {
  /// The benchmark's images, in place of a data set's.
  static let imageDrawing = Self("drawing images")
  /// Time steps and noise, and adding noise to images.
  static let noiseDrawing = Self("drawing noise")
  static let loss = Self("loss")
  /// Zeros for the gradients of a micro-batch.
  static let gradientClearing = Self("clearing gradients")
  /// Adding up gradients of micro-batches on a rank.
  static let microBatchSum = Self("sum over micro-batches")
  /// Adding up gradients over ranks, with the time that ranks wait for one another.
  static let gradientExchange = Self("gradient exchange")
  static let gradientNorm = Self("gradient norm")
  static let adam = Self("Adam")
  static let movingAverages = Self("moving averages")
  static let parameterExchange = Self("parameter exchange")
  /// At the end of the step.
  static let waiting = Self("waiting for other ranks")
}
