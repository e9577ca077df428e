import Failures
import MessagePassing

/// - Parameter advice: added to the message.
/// - Throws: `JobFailure` on all ranks of several.
package func requireOneProcess(_ command: String, _ communicator: Communicator, advice: String? = nil) throws {
  guard communicator.size > 1 else { return }
  throw JobFailure(
    rank: 0, exitStatus: .badInput,
    message: "\(command) works in one process: run it without mpirun or srun" + (advice.map { "; \($0)" } ?? ""))
}
