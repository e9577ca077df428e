import Files
import Foundation
import Logging
import Synchronization

/// Appends to journal.jsonl, from any thread. That an entry cannot be written, on a full disk for instance, is a warning
/// and no reason to give up what was computed; it is kept for the next time.
public final class RunJournal: Sendable {
  private let file: Mutex<AppendedFile>
  private let log: Logger

  /// Opens the file at `path`, creating it where it is missing.
  public init(path: String, log: Logger) throws(FileError) {
    // A line that a crash cut short must not swallow the next one.
    let isCutShort = access(path, F_OK) == 0 ? try readBytes(at: path).last.map { $0 != newline } ?? false : false
    var file = try AppendedFile(path: path)
    if isCutShort { try file.append([newline]) }
    self.file = Mutex(file)
    self.log = log
  }

  public func note(_ entry: JournalEntry) {
    do {
      try file.withLock { file throws(FileError) in try file.append((entry.json + "\n").utf8) }
    } catch {
      log.warning("\(error); training goes on, and will try again")
    }
  }
}

private let newline = UInt8(ascii: "\n")
