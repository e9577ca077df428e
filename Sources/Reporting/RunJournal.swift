import Files
import Glibc
import Logging
import Synchronization

/// Appends to journal.jsonl, from any thread. If an entry cannot be written, because the disk is full for instance, a
/// warning is logged, and the entry is kept for the next attempt.
package final class RunJournal: Sendable {
  private let file: Mutex<AppendedFile>
  private let log: Logger

  /// Opens the file at `path`, creating it if missing.
  package init(path: String, log: Logger) throws(FileError) {
    // An incomplete line that a crash left behind must not swallow the next one.
    let isCutShort = access(path, F_OK) == 0 ? try readBytes(at: path).last.map { $0 != newline } ?? false : false
    var file = try AppendedFile(path: path)
    if isCutShort { try file.append([newline]) }
    self.file = Mutex(file)
    self.log = log
  }

  package func note(_ entry: JournalEntry) {
    log.warnIfUnwritten {
      try file.withLock { file throws(FileError) in try file.append((entry.json + "\n").utf8) }
    }
  }
}

private let newline = UInt8(ascii: "\n")
