import Diffusion
import Failures
import MessagePassing

/// - Throws: `JobFailure` on all ranks of several.
package func requireOneProcess(_ command: String, _ communicator: Communicator) throws {
  guard communicator.size > 1 else { return }
  throw JobFailure(
    rank: 0, exitStatus: .badInput, message: "\(command) works in one process: run it without mpirun")
}

/// What `body` returns.
/// - Throws: what it throws; a setting that cannot work by the option of the command line that it was given by.
func namingOptions<Result>(_ body: () throws -> Result) throws -> Result {
  do { return try body() } catch let error as DiffusionError { throw InputError("--\(error)") }
}
