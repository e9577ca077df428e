import Failures
import MessagePassing

/// - Throws: `JobFailure` on all ranks of several.
package func requireOneProcess(_ command: String, _ communicator: Communicator) throws {
  guard communicator.size > 1 else { return }
  throw JobFailure(
    rank: 0, exitStatus: .badInput, message: "\(command) works in one process: run it without mpirun")
}
