import Logging

extension Logger {
  /// Writes a record of a run. If it cannot be written, because the disk is full for instance, a warning is logged and
  /// training continues.
  package func warnIfUnwritten(_ write: () throws -> Void) {
    do { try write() } catch { warning("\(error); training continues, and writing will be retried") }
  }
}
