import Failures

/// An invalid setting of the diffusion process or of a sampler.
package struct DiffusionError: JobEndingError, Equatable, CustomStringConvertible {
  /// The setting at fault, such as `steps`.
  package let key: String
  /// What is wrong with it and what is expected.
  package let problem: String

  package init(key: String, problem: String) {
    self.key = key
    self.problem = problem
  }

  package var exitStatus: ExitStatus { .badInput }
  package var description: String { "\(key): \(problem)" }
}

/// - Throws: `DiffusionError` with this key and problem unless the condition holds.
func require(_ condition: Bool, _ key: String, _ problem: @autoclosure () -> String) throws(DiffusionError) {
  if !condition { throw DiffusionError(key: key, problem: problem()) }
}

func requireSteps(_ steps: Int) throws(DiffusionError) {
  try require(steps >= 1, "steps", "\(steps) steps are too few; give at least 1")
}

func requirePositive(_ value: Double, _ key: String) throws(DiffusionError) {
  try require(value > 0 && value.isFinite, key, "\(value) must be positive")
}
