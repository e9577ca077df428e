import Evaluation
import FeatureNetworks
import Jobs

extension FeatureNetworkError: JobEndingError {
  public var exitStatus: ExitStatus { .badInput }
}

extension EvaluationError: JobEndingError {
  public var exitStatus: ExitStatus {
    if case .notFinite = self { .notFinite } else { .badInput }
  }
}
