import Foundation
import Reporting

/// The program's work from one start to its end, as the journal has it.
struct Session: Equatable {
  var start: JournalEntry
  /// What is known to have happened last in it.
  var last: JournalEntry
  var checkpointCount = 0

  var firstStep: Int { start.step }
  var isResumed: Bool { start.event == .resume }

  /// What it began with instead of random weights, and what is not as it was before; each in words.
  var differences: [String] {
    (start.initial.map { ["weights of \($0)"] } ?? []) + (start.changes ?? [])
  }

  /// How it ended; nil if it did not say so.
  var end: JournalEntry? {
    switch last.event {
    case .done, .stop, .failure: last
    case .start, .resume, .checkpoint, .warning: nil
    }
  }

  /// How it ended, in words.
  /// - Parameter isNewest: whether no other one was started later, so that it may not have ended at all.
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
