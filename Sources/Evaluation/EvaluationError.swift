import Failures

/// Why a measure of images cannot be computed, and what to do about it.
package enum EvaluationError: JobEndingError, Equatable, CustomStringConvertible {
  /// - measure: the measure to be computed.
  case tooFewImages(Int, minimum: Int, measure: String)
  /// The dimensions of the features, or of their means and covariances, on both sides.
  case dimensionsDiffer(Int, Int)
  /// - location: the position of the number in an image or matrix.
  case notFinite(location: String)
  /// An eigenvalue is negative by more than rounding errors explain.
  case notACovariance(name: String, eigenvalue: Double, largest: Double)
  /// - status: the status returned by LAPACK's routine.
  case notConverged(routine: String, status: Int)

  package var exitStatus: ExitStatus { if case .notFinite = self { .notFinite } else { .badInput } }
  package var description: String {
    switch self {
    case .tooFewImages(let count, let minimum, let measure):
      "\(measure) needs at least \(minimum) images, but there \(count == 1 ? "is" : "are") \(count); use more images"
    case .dimensionsDiffer(let first, let second):
      "one side has features of \(first) numbers, the other of \(second); use the same network and layer for both"
    case .notFinite(let location):
      "\(location) is not a finite number; check the images and the network's weights"
    case .notACovariance(let name, let eigenvalue, let largest):
      "\(name) has an eigenvalue of \(eigenvalue), with the largest at \(largest), but a covariance has no negative ones; "
        + "compute the statistics again"
    case .notConverged(let routine, let status):
      "LAPACK's \(routine) found no decomposition (status \(status)); check the features and their statistics"
    }
  }
}
