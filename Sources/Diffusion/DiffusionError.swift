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
}
