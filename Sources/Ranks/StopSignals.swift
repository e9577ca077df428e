import Glibc
import Synchronization

/// The signals by which a scheduler or a user asks a job to save and stop: USR1 and TERM. They are noted, and whoever
/// runs looks at the note when it suits; one rank that notes one is enough.
public enum StopSignals {
  private static let noted = Atomic<Int32>(0)

  /// Notes these signals from now on, instead of ending at them. A process calls it before it starts MPI: a scheduler's
  /// warning may come at any time after that, and one that is missed is a job that ends without a last save.
  public static func listen() {
    // The note must be there before a handler looks for it.
    _ = noted.load(ordering: .relaxed)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { StopSignals.noted.store($0, ordering: .relaxed) }
    // Reading and writing go on as if nothing had happened.
    action.sa_flags = SA_RESTART
    for signal in [SIGUSR1, SIGTERM] { sigaction(signal, &action, nil) }
  }

  /// The last one that this process got, or nil.
  public static var last: Int32? {
    let signal = noted.load(ordering: .relaxed)
    return signal == 0 ? nil : signal
  }

  /// Its name as `kill` takes it.
  public static func name(of signal: Int32) -> String {
    switch signal {
    case SIGUSR1: "USR1"
    case SIGTERM: "TERM"
    default: "signal \(signal)"
    }
  }
}
