import Reporting

/// The work of the program from one start to its end, according to the journal.
struct Session: Equatable {
  var start: JournalEntry
  /// The last recorded event.
  var last: JournalEntry
  var checkpointCount = 0

  var firstStep: Int { start.step }
  var isResumed: Bool { start.event == .resume }

  /// The weights that it started from instead of random ones, and what has changed since the previous session; each in
  /// words.
  var differences: [String] {
    (start.initial.map { ["weights of \($0)"] } ?? []) + (start.changes ?? [])
  }

  /// A description of how it ended.
  /// - Parameter isNewest: whether it is the last session, which may still be running.
  func ending(isNewest: Bool) -> String {
    switch last.event {
    case .done: "all \(last.step) steps done"
    case .stop: "stopped after step \(last.step)" + (last.reason.map { ", \($0)" } ?? "")
    case .failure: "failed after step \(last.step)" + (last.reason.map { ": \($0)" } ?? "")
    case .start, .resume, .checkpoint, .warning:
      isNewest ? "no end is recorded: it is still running, or was killed" : "killed: no end is recorded"
    }
  }

  /// Entries before the first start, if that line was lost, belong to no session.
  static func all(of entries: [JournalEntry]) -> [Session] {
    var sessions: [Session] = []
    for entry in entries {
      switch entry.event {
      case .start, .resume: sessions.append(Session(start: entry, last: entry))
      case .checkpoint, .warning, .done, .stop, .failure:
        guard !sessions.isEmpty else { continue }
        sessions[sessions.count - 1].last = entry
        if entry.event == .checkpoint { sessions[sessions.count - 1].checkpointCount += 1 }
      }
    }
    return sessions
  }
}
