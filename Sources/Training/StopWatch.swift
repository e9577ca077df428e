import MessagePassing
import Ranks
import Tensors

/// Decides, for all ranks alike, whether to save and stop: when any of them was sent a signal, or when by rank 0's clock
/// another step and a checkpoint might not end within the time limit.
struct StopWatch {
  private let start = ContinuousClock.now
  private let limit: Double?
  private var longestStep = 0.0
  private var longestSave = 0.0

  /// - Parameter limitMinutes: from now on, in minutes; nil for none.
  init(limitMinutes: Double?) { limit = limitMinutes.map { 60 * $0 } }

  mutating func note(stepSeconds: Double) { longestStep = max(longestStep, stepSeconds) }
  mutating func note(saveSeconds: Double) { longestSave = max(longestSave, saveSeconds) }

  /// Why to stop now, in words; nil for going on. Collective.
  func reason(_ communicator: Communicator) throws -> String? {
    let mine = StopSignals.last.map { Int64($0) } ?? (communicator.rank == 0 && isOut ? Self.timeLimit : 0)
    let code = try communicator.allReduceMaximum(mine)
    if code == 0 { return nil }
    if code == Self.timeLimit { return "since training.time_limit_minutes is over" }
    return "since a rank was sent the signal \(StopSignals.name(of: Int32(code)))"
  }

  /// Above all signals.
  private static let timeLimit: Int64 = 1 << 20

  private var isOut: Bool {
    guard let limit else { return false }
    return start.secondsUntilNow + longestStep + longestSave > limit
  }
}
