import Failures

/// Training has saved and ends before its last step, because it was asked to; all ranks know.
struct StoppedEarly: JobEndingError, CustomStringConvertible {
  let step: Int
  let reason: String
  let checkpoint: String

  var exitStatus: ExitStatus { .stopped }
  var isKnownToAllRanks: Bool { true }

  var description: String {
    "stopped after step \(step), \(reason); everything is saved in \(checkpoint). Go on with --resume"
  }
}
