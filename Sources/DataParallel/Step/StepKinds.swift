import Differentiation

/// The kinds of operations of a step that are not recorded on a tape.
extension Profiler.Kind {
  /// The benchmark's random images, which replace a data set's.
  package static let imageDrawing = Self("drawing images")
  /// Time steps and noise, and adding noise to images.
  package static let noiseDrawing = Self("drawing noise")
  package static let loss = Self("loss")
  /// Clearing the gradients of a micro-batch.
  package static let gradientClearing = Self("clearing gradients")
  /// Adding up gradients of micro-batches on a rank.
  package static let microBatchSum = Self("sum over micro-batches")
  /// Adding up gradients over ranks, including the time that ranks wait for one another.
  package static let gradientExchange = Self("gradient exchange")
  package static let gradientNorm = Self("gradient norm")
  package static let adam = Self("Adam")
  package static let movingAverages = Self("moving averages")
  package static let parameterExchange = Self("parameter exchange")
  /// At the end of the step.
  package static let waiting = Self("waiting for other ranks")
}
