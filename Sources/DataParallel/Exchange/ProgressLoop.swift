import Glibc
import MessagePassing
import Threads

/// Something that other ranks take part in, and that moves on by being looked at.
package protocol BackgroundWork: AnyObject, Sendable {
  /// Moves on as far as that goes without waiting.
  /// - Returns: whether anything has moved.
  func advance() throws -> Bool

  /// Whether nothing is left to do. May be asked from any thread.
  var isDone: Bool { get }
}

/// Moves works along: in a thread of its own, beside the computation, or only while somebody waits for them.
///
/// MPI moves long messages only inside its own functions, so communication that is to overlap with computation needs
/// somebody who calls them. The thread sleeps between two looks, which leaves the processor to the computation; while
/// somebody waits it looks more often.
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
    /// Whether there may be more to do than at the last look.
    var hasNews = false
    /// Whether somebody waits for the works.
    var hasWaiter = false
  }

  /// How long the thread sleeps when nothing has moved: a little at first, then twice as long each time. The maximum is
  /// what a network of a gigabit takes to fill a socket's buffer.
  private static let minimumNap = Duration.microseconds(50)
  private static let maximumNap = Duration.microseconds(800)
  /// Looks in a row, each giving way to other threads, before one that somebody waits for sleeps too.
  private static let looksBeforeSleep = 100

  /// - Parameter waits: notes when somebody waits here.
  package init(isBackground: Bool, waits: WaitRecord = WaitRecord()) {
    self.isBackground = isBackground
    self.waits = waits
    if isBackground { thread = BackgroundThread("exchange") { [state] in Self.run(state) } }
  }

  deinit { stop() }

  /// Ends the thread. Works that are not done are left as they are.
  package func stop() {
    state.update { $0.isStopping = true }
    thread.take()?.join()
  }

  /// Takes on a work.
  package func start(_ work: any BackgroundWork) {
    state.update {
      $0.works.append(work)
      $0.hasNews = true
    }
  }

  /// Says that a work has more to do now.
  func announceNews() {
    if isBackground { state.update { $0.hasNews = true } }
  }

  /// Returns once `condition` holds, which the works bring about.
  /// - Throws: what a work has thrown.
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
    var idleLooks = 0
    while !condition() {
      let hasMoved = try Self.advance(state.withLock(\.works))
      state.withLock { $0.works.removeAll(where: \.isDone) }
      idleLooks = hasMoved ? 0 : idleLooks + 1
      if idleLooks > 0 { Self.backOff(idleLooks) }
    }
  }

  /// - Returns: whether anything has moved.
  private static func advance(_ works: [any BackgroundWork]) throws -> Bool {
    var hasMoved = false
    for work in works where try work.advance() { hasMoved = true }
    return hasMoved
  }

  private static func backOff(_ idleLooks: Int) {
    if idleLooks <= looksBeforeSleep { sched_yield() } else { usleep(50) }
  }

  // MARK: The thread

  private static func run(_ state: Monitor<State>) {
    var idleLooks = 0
    while let works = nextWorks(state) {
      do {
        let hasMoved = try advance(works)
        state.update(waking: hasMoved ? .max : 0) { $0.works.removeAll(where: \.isDone) }
        idleLooks = hasMoved ? 0 : idleLooks + 1
        if hasMoved { continue }
        if state.withLock(\.hasWaiter) {
          backOff(idleLooks)
        } else {
          let nap = min(maximumNap, minimumNap * (1 << min(idleLooks - 1, 8)))
          _ = state.wait(atMost: nap) { $0.hasNews || $0.isStopping ? () : nil }
        }
      } catch {
        state.update {
          $0.failure = error
          $0.works = []
        }
      }
    }
  }

  /// What is to be looked at, once there is something; nil at the end.
  private static func nextWorks(_ state: Monitor<State>) -> [any BackgroundWork]? {
    state.wait { state -> [any BackgroundWork]?? in
      if state.isStopping { return .some(nil) }
      if state.works.isEmpty { return nil }
      state.hasNews = false
      return state.works
    }
  }
}
