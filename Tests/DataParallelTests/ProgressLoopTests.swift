import DataParallel
import Synchronization
import Testing

struct ProgressLoopTests {
  /// Work that nothing but time completes.
  private final class Delay: BackgroundWork {
    let end: ContinuousClock.Instant
    let pollCount = Atomic<Int>(0)
    private let isOver = Atomic<Bool>(false)

    init(_ duration: Duration) { end = ContinuousClock.now + duration }

    var isDone: Bool { isOver.load(ordering: .acquiring) }

    func advance() -> Bool {
      pollCount.add(1, ordering: .relaxed)
      if ContinuousClock.now < end { return false }
      isOver.store(true, ordering: .releasing)
      return true
    }
  }

  /// Pauses of 50 µs would allow up to 6000 polls in this time; about 600 fit if they grow.
  @Test(arguments: [false, true]) func aLongWaitPollsMoreAndMoreRarely(isBackground: Bool) throws {
    let loop = ProgressLoop(isBackground: isBackground)
    let delay = Delay(.milliseconds(300))
    loop.start(delay)
    try loop.wait { delay.isDone }
    loop.stop()
    let pollCount = delay.pollCount.load(ordering: .relaxed)
    #expect(ContinuousClock.now >= delay.end)
    #expect(pollCount < 1000)
  }
}
