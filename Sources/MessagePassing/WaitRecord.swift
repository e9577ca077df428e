import Synchronization

/// Records whether a thread is waiting for other ranks, so that a watchdog can distinguish a rank that hangs from the
/// ranks that wait for it.
package final class WaitRecord: Sendable {
  private let depth = Atomic<Int>(0)
  private let begun = Atomic<Int>(0)

  package init() {}

  /// Whether a wait is under way.
  package var isWaiting: Bool { depth.load(ordering: .relaxed) > 0 }

  /// The number of waits begun so far.
  package var count: Int { begun.load(ordering: .relaxed) }

  /// Runs a call that may have to wait for other ranks.
  package func during<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    begun.add(1, ordering: .relaxed)
    depth.add(1, ordering: .relaxed)
    defer { depth.subtract(1, ordering: .relaxed) }
    return try body()
  }
}
