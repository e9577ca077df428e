import Failures

/// Training was asked to stop before its last step and has saved; all ranks know.
struct StoppedEarly: JobEndingError, CustomStringConvertible {
  let step: Int
  let reason: String
  let checkpoint: String

  var exitStatus: ExitStatus { .stopped }
  var isKnownToAllRanks: Bool { true }

  var description: String {
    "stopped after step \(step), \(reason); everything is saved in \(checkpoint). Continue with --resume"
  }
}
