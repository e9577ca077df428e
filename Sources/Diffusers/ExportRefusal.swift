import Failures

/// Why a model cannot leave for diffusers.
struct ExportRefusal: JobEndingError, Equatable, CustomStringConvertible {
  /// The key of the run's configuration that says so.
  let key: String
  let value: String
  /// What diffusers has or lacks.
  let problem: String

  init(_ key: String, _ value: String, _ problem: String) {
    self.key = key
    self.value = value
    self.problem = problem
  }

  var exitStatus: ExitStatus { .badInput }

  var description: String {
    "\(key) is \(value), which diffusers cannot follow: \(problem); draw images here, or read the tensors from the "
      + "checkpoint (docs/interchange.md)"
  }
}
