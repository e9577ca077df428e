import Diffusion
import Failures
import MessagePassing

/// - Throws: `JobFailure` on all ranks of several.
package func requireOneProcess(_ command: String, _ communicator: Communicator) throws {
  guard communicator.size > 1 else { return }
  throw JobFailure(
    rank: 0, exitStatus: .badInput, message: "\(command) works in one process: run it without mpirun")
}

/// Calls `body`.
/// - Throws: the errors of `body`; an invalid setting is named by its command-line option.
func namingOptions<Result>(_ body: () throws -> Result) throws -> Result {
  do { return try body() } catch let error as DiffusionError {
    throw InputError("--\(error.key.replacing("_", with: "-")): \(error.problem)")
  }
}
