import MessagePassing
import Testing

extension StorageTests {
  @Suite struct PollingPauseTests {
    @Test func pausesGrowWithTheWaitWithinBounds() {
      var pause = PollingPause(minimum: 20)
      var waited = 0
      while waited < 100_000 {
        let next = pause.next
        #expect(next == min(max(20, waited / 64), 1000), "after \(waited) µs")
        pause.take()
        waited += next
      }
      #expect(pause.next == 1000)
    }
  }
}
