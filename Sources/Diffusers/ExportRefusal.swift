import Failures

/// Why a model cannot be exported to diffusers.
struct ExportRefusal: JobEndingError, Equatable, CustomStringConvertible {
  /// The responsible key of the run's configuration.
  let key: String
  let value: String
  /// What diffusers supports or lacks.
  let problem: String

  init(_ key: String, _ value: String, _ problem: String) {
    self.key = key
    self.value = value
    self.problem = problem
  }

  var exitStatus: ExitStatus { .badInput }

  var description: String {
    "\(key) is \(value), which diffusers does not support: \(problem); draw images here, or read the tensors from the "
      + "checkpoint (docs/interchange.md)"
  }
}
