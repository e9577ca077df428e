import Glibc
import MessagePassing
import Threads

/// Communication with other ranks that makes progress only when it is polled.
package protocol PolledWork: AnyObject {
  /// Makes as much progress as possible without waiting.
  /// - Returns: whether there was any progress.
  func advance() throws -> Bool

  /// Whether everything is done.
  var isDone: Bool { get }
}

/// Work that another thread may poll; `isDone` may be read from any thread.
package protocol BackgroundWork: PolledWork, Sendable {}

/// Polls background work: in a separate thread, beside the computation, or only while the caller waits for it.
///
/// MPI moves long messages only inside its own functions, so communication overlaps with computation only if some
/// thread calls them. The thread sleeps between polls, which leaves the processor to the computation; while the caller
/// is waiting, it polls more often, at first without pause.
package final class ProgressLoop {
  /// Whether there is a thread.
  let isBackground: Bool
  private let state = Monitor(State())
  private let waits: WaitRecord
  private var thread: BackgroundThread?

  private struct State {
    var works: [any BackgroundWork] = []
    var failure: (any Error)?
    var isStopping = false
    /// Whether there may be more work than at the last poll.
    var hasNews = false
    /// Whether a caller is waiting for the work.
    var hasWaiter = false
  }

  /// How long the thread sleeps if there was no progress: a short time at first, then twice as long each time. The
  /// maximum is the time in which a gigabit network fills a socket's buffer.
  private static let minimumNap = Duration.microseconds(50)
  private static let maximumNap = Duration.microseconds(800)

  /// - Parameter waits: records when a caller waits here.
  package init(isBackground: Bool, waits: WaitRecord = WaitRecord()) {
    self.isBackground = isBackground
    self.waits = waits
    if isBackground { thread = BackgroundThread("exchange") { [state] in Self.run(state) } }
  }

  deinit { stop() }

  /// Ends the thread. Unfinished work is abandoned.
  package func stop() {
    state.update { $0.isStopping = true }
    thread.take()?.join()
  }

  /// Adds work to the loop, or signals that it has more to do now.
  package func start(_ work: any BackgroundWork) {
    state.update {
      if !$0.works.contains(where: { $0 === work }) { $0.works.append(work) }
      $0.hasNews = true
    }
  }

  /// Makes progress once where no thread does. `wait` throws an error that occurs here.
  func poll() {
    if isBackground { return }
    do { _ = try moveOnce() } catch { Self.abandon(state, error) }
  }

  /// Returns once `condition` holds, as a result of the background work.
  /// - Throws: the error of any background work.
  package func wait(until condition: () -> Bool) throws {
    try waits.during { try isBackground ? sleep(until: condition) : moveAlong(until: condition) }
  }

  private func sleep(until condition: () -> Bool) throws {
    state.update {
      $0.hasWaiter = true
      $0.hasNews = true
    }
    defer { state.withLock { $0.hasWaiter = false } }
    try state.wait {
      if let failure = $0.failure { throw failure }
      return condition() ? () : nil
    }
  }

  private func moveAlong(until condition: () -> Bool) throws {
    var patience = Patience()
    while !condition() {
      if let failure = state.withLock(\.failure) { throw failure }
      if try moveOnce() { patience = Patience() } else { patience.pause() }
    }
  }

  /// - Returns: whether there was any progress.
  private func moveOnce() throws -> Bool {
    defer { state.withLock { $0.works.removeAll(where: \.isDone) } }
    return try Self.advance(state.withLock(\.works))
  }

  /// - Returns: whether there was any progress.
  private static func advance(_ works: [any BackgroundWork]) throws -> Bool {
    var hasMoved = false
    for work in works where try work.advance() { hasMoved = true }
    return hasMoved
  }

  /// What happens between two polls while a caller is waiting and nothing moves.
  private struct Patience {
    private var yields = 0
    private var naps = PollingPause(minimum: 50)

    /// The number of polls in a row, each followed by a yield to other threads, before the waiting thread sleeps.
    private static let yieldsBeforeSleep = 100

    mutating func pause() {
      if yields == Self.yieldsBeforeSleep { return naps.take() }
      yields += 1
      sched_yield()
    }
  }

  // MARK: The thread

  private static func run(_ state: Monitor<State>) {
    var idleLooks = 0
    var patience = Patience()
    while let works = nextWorks(state) {
      do {
        let hasMoved = try advance(works)
        state.update(waking: hasMoved ? .max : 0) { $0.works.removeAll(where: \.isDone) }
        if !hasMoved && state.withLock(\.hasWaiter) {
          patience.pause()
          continue
        }
        patience = Patience()
        idleLooks = hasMoved ? 0 : idleLooks + 1
        if hasMoved { continue }
        let nap = min(maximumNap, minimumNap * (1 << min(idleLooks - 1, 8)))
        _ = state.wait(atMost: nap) { $0.hasNews || $0.isStopping ? () : nil }
      } catch { abandon(state, error) }
    }
  }

  /// Leaves the error to the next caller that waits.
  private static func abandon(_ state: Monitor<State>, _ error: any Error) {
    state.update {
      $0.failure = error
      $0.works = []
    }
  }

  /// The work to be polled, once there is any; nil at the end.
  private static func nextWorks(_ state: Monitor<State>) -> [any BackgroundWork]? {
    state.wait { state -> [any BackgroundWork]?? in
      if state.isStopping { return .some(nil) }
      if state.works.isEmpty { return nil }
      state.hasNews = false
      return state.works
    }
  }
}
