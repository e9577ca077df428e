import Differentiation
import Optimisation

/// The kinds of operations of a step beside those on a tape.
extension Profiler.Kind {
  /// The benchmark's images, in place of a data set's.
  public static let imageDrawing = Self("drawing images")
  /// Time steps and noise, and adding noise to images.
  public static let noiseDrawing = Self("drawing noise")
  public static let loss = Self("loss")
  /// Zeros for the gradients of a micro-batch.
  public static let gradientClearing = Self("clearing gradients")
  /// Adding up gradients of micro-batches on a rank.
  public static let microBatchSum = Self("sum over micro-batches")
  /// Adding up gradients over ranks, with the time that ranks wait for one another.
  public static let gradientExchange = Self("gradient exchange")
  public static let gradientNorm = Self("gradient norm")
  public static let adam = Self("Adam")
  public static let movingAverages = Self("moving averages")
  public static let parameterExchange = Self("parameter exchange")
  /// At the end of the step.
  public static let waiting = Self("waiting for other ranks")
}
