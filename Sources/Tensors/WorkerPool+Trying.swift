import Synchronization

extension WorkerPool {
  /// Calls `body` once for every index below `count`, on several threads at once; some calls may throw.
  /// - Throws: the error for the lowest such index, after all calls have ended.
  package func forEachTrying(_ count: Int, _ body: (Int) throws -> Void) throws {
    let first = Mutex<(index: Int, error: any Error)?>(nil)
    forEach(count) { index in
      do {
        try body(index)
      } catch {
        first.withLock { if $0.map({ index < $0.index }) ?? true { $0 = (index, error) } }
      }
    }
    if let failure = first.withLock({ $0 }) { throw failure.error }
  }
}
