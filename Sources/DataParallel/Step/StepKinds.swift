import Differentiation

/// The kinds of operations of a step that are not recorded on a tape.
extension Profiler.Kind {
  /// The benchmark's random images, which replace a data set's.
  public static let imageDrawing = Self("drawing images")
  /// Time steps and noise, and adding noise to images.
  public static let noiseDrawing = Self("drawing noise")
  public static let loss = Self("loss")
  /// Clearing the gradients of a micro-batch.
  public static let gradientClearing = Self("clearing gradients")
  /// Adding up gradients of micro-batches on a rank.
  public static let microBatchSum = Self("sum over micro-batches")
  /// Adding up gradients over ranks, including the time that ranks wait for one another.
  public static let gradientExchange = Self("gradient exchange")
  public static let gradientNorm = Self("gradient norm")
  public static let adam = Self("Adam")
  public static let movingAverages = Self("moving averages")
  public static let parameterExchange = Self("parameter exchange")
  /// At the end of the step.
  public static let waiting = Self("waiting for other ranks")
}
