import Testing
import Threads

@Suite struct MonitorTests {
  @Test func oneThreadAtATimeHasTheValue() {
    let number = Monitor(0)
    let running = Monitor(4)
    for _ in 0..<4 {
      _ = BackgroundThread("adding") {
        for _ in 0..<10_000 { number.withLock { $0 += 1 } }
        running.update { $0 -= 1 }
      }
    }
    running.wait { $0 == 0 ? () : nil }
    #expect(number.withLock { $0 } == 40_000)
  }

  @Test func aWaitEndsWhenItsConditionHolds() {
    let turn = Monitor(0)
    let thread = BackgroundThread("odd turns") {
      for expected in stride(from: 1, to: 2000, by: 2) {
        turn.wait { $0 == expected ? () : nil }; turn.update { $0 += 1 }
      }
    }
    for expected in stride(from: 0, to: 2000, by: 2) {
      turn.wait { $0 == expected ? () : nil }
      turn.update { $0 += 1 }
    }
    thread.join()
    #expect(turn.withLock { $0 } == 2000)
  }

  /// All waiting threads are woken one by one; none is left.
  @Test func anUpdateCanWakeSomeThreadsOnly() {
    let tickets = Monitor(0)
    let served = Monitor(0)
    for _ in 0..<8 {
      _ = BackgroundThread("waiting") {
        tickets.wait { count -> Void? in
          guard count > 0 else { return nil }
          count -= 1
          return ()
        }
        served.update { $0 += 1 }
      }
    }
    for _ in 0..<4 { tickets.update(waking: 2) { $0 += 2 } }
    served.wait { $0 == 8 ? () : nil }
    #expect(tickets.withLock { $0 } == 0)
  }

  @Test func aWaitWithADeadlineEndsInTime() {
    let isOpen = Monitor(false)
    let start = ContinuousClock.now
    let result: Void? = isOpen.wait(atMost: .milliseconds(1050)) { $0 ? () : nil }
    let waited = start.duration(to: .now)
    #expect(result == nil)
    #expect(waited >= .milliseconds(1050))
    isOpen.update { $0 = true }
    #expect(isOpen.wait(atMost: .zero) { $0 ? 3 : nil } == 3)
  }

  @Test func anErrorEndsAWaitAndLeavesTheMonitorUsable() {
    struct Failure: Error {}
    let value = Monitor(1)
    #expect(throws: Failure.self) { try value.wait { _ -> Int? in throw Failure() } }
    #expect(value.withLock { $0 } == 1)
  }
}

@Suite struct BackgroundThreadTests {
  @Test func joinReturnsWhenTheWorkIsDone() {
    let value = Monitor(0)
    let thread = BackgroundThread("a name that is longer than the system shows") {
      for _ in 0..<1000 { value.withLock { $0 += 1 } }
    }
    thread.join()
    #expect(value.withLock { $0 } == 1000)
  }

  @Test func workIsReleasedAtTheEnd() {
    final class Held: Sendable {}
    weak var held: Held?
    do {
      let object = Held()
      held = object
      let thread = BackgroundThread("holding") { withExtendedLifetime(object) {} }
      thread.join()
    }
    #expect(held == nil)
  }
}
