import Failures

/// An invalid setting of the diffusion process or of a sampler.
public struct DiffusionError: JobEndingError, Equatable, CustomStringConvertible {
  /// The setting at fault, such as `steps`.
  public let key: String
  /// What is wrong with it and what is expected.
  public let problem: String

  public init(key: String, problem: String) {
    self.key = key
    self.problem = problem
  }

  public var exitStatus: ExitStatus { .badInput }
  public var description: String { "\(key): \(problem)" }

  static func requireSteps(_ steps: Int) throws(DiffusionError) {
    guard steps >= 1 else { throw DiffusionError(key: "steps", problem: "\(steps) steps are too few; give at least 1") }
  }

  static func requirePositive(_ value: Double, _ key: String) throws(DiffusionError) {
    guard value > 0, value.isFinite else { throw DiffusionError(key: key, problem: "\(value) must be positive") }
  }
}
