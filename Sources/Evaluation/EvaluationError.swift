import Failures

/// Why a measure of images cannot be computed, and what to do about it.
public enum EvaluationError: JobEndingError, Equatable, CustomStringConvertible {
  /// - measure: what was to be computed.
  case tooFewImages(Int, minimum: Int, measure: String)
  /// Of the features, or of their means and covariances, on both sides.
  case dimensionsDiffer(Int, Int)
  /// - location: which number of which image or matrix.
  case notFinite(location: String)
  /// An eigenvalue is below zero by more than rounding.
  case notACovariance(name: String, eigenvalue: Double, largest: Double)
  /// - status: what LAPACK's routine returned.
  case notConverged(routine: String, status: Int)

  public var exitStatus: ExitStatus { if case .notFinite = self { .notFinite } else { .badInput } }
  public var description: String {
    switch self {
    case .tooFewImages(let count, let minimum, let measure):
      "\(measure) needs at least \(minimum) images, and there \(count == 1 ? "is" : "are") \(count); take more images"
    case .dimensionsDiffer(let first, let second):
      "one side has features of \(first) numbers, the other of \(second); take both from the same network and layer"
    case .notFinite(let location):
      "\(location) is not a finite number; look at the images and at the network's weights"
    case .notACovariance(let name, let eigenvalue, let largest):
      "\(name) has an eigenvalue of \(eigenvalue), the largest being \(largest), but a covariance has none below zero; "
        + "make the statistics again"
    case .notConverged(let routine, let status):
      "LAPACK's \(routine) found no decomposition (status \(status)); look at the features and their statistics"
    }
  }
}
