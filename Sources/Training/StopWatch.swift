import MessagePassing
import Ranks
import Tensors

/// Decides, the same on all ranks, whether to save and stop: if any rank received a signal, or if by rank 0's clock
/// another step and a checkpoint might not finish within the time limit.
struct StopWatch {
  private let start = ContinuousClock.now
  private let limit: Double?
  private var longestStep = 0.0

  /// - Parameter limitMinutes: the time limit in minutes from now; nil for none.
  init(limitMinutes: Double?) { limit = limitMinutes.map { 60 * $0 } }

  mutating func note(stepSeconds: Double) { longestStep = max(longestStep, stepSeconds) }

  /// The reason to stop now; nil to continue. Collective.
  /// - Parameter saveSeconds: how long a checkpoint takes.
  func reason(_ communicator: Communicator, saveSeconds: Double) throws -> String? {
    let isOut = limit.map { start.secondsUntilNow + longestStep + saveSeconds > $0 } ?? false
    let mine = StopSignals.last.map { Int($0) } ?? (communicator.rank == 0 && isOut ? Self.timeLimit : 0)
    let code = try communicator.allReduceMaximum(mine)
    if code == 0 { return nil }
    if code == Self.timeLimit { return "because training.time_limit_minutes is reached" }
    return "because a rank received the signal \(StopSignals.name(of: Int32(code)))"
  }

  /// Larger than any signal.
  private static let timeLimit = 1 << 20
}
