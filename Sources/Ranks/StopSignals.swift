import Glibc
import Synchronization

/// The signals by which a scheduler or a user asks a job to save and stop: USR1, TERM and INT. They are recorded, and the
/// program checks the record when it is convenient; one rank that received a signal is enough. A second INT ends the
/// process at once, for a user who does not want to wait.
package enum StopSignals {
  private static let noted = Atomic<Int32>(0)

  /// Records these signals from now on, instead of being ended by them. A process calls it before it starts MPI: a
  /// scheduler's warning may come at any time after that, and a job that missed it would end without a last save.
  package static func listen() {
    // The variable must be initialised before a handler uses it.
    _ = noted.load(ordering: .relaxed)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { StopSignals.noted.store($0, ordering: .relaxed) }
    // Interrupted reads and writes are restarted.
    action.sa_flags = SA_RESTART
    for signal in [SIGUSR1, SIGTERM] { sigaction(signal, &action, nil) }
    action.sa_flags |= Int32(bitPattern: UInt32(SA_RESETHAND))
    sigaction(SIGINT, &action, nil)
  }

  /// The last signal that this process received, or nil.
  package static var last: Int32? {
    let signal = noted.load(ordering: .relaxed)
    return signal == 0 ? nil : signal
  }

  /// The signal's name as `kill` takes it.
  package static func name(of signal: Int32) -> String {
    switch signal {
    case SIGUSR1: "USR1"
    case SIGTERM: "TERM"
    case SIGINT: "INT"
    default: "signal \(signal)"
    }
  }
}
