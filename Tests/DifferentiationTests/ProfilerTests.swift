import Differentiation
import Glibc
import Kernels
import Testing

@Suite struct ProfilerTests {
  private static let outer = Profiler.Kind("outer")
  private static let inner = Profiler.Kind("inner")
  private struct Failure: Error {}

  @Test func innerMeasurementsAreSubtractedFromTheOuterOne() {
    let profiler: Profiler? = Profiler()
    let duration = ContinuousClock().measure {
      profiler.measure(Self.outer, Work(arithmetic: 1)) {
        for _ in 0..<2 {
          profiler.measure(Self.inner, Work(arithmetic: 10, directArithmetic: 40, floats: 3)) { _ = usleep(20_000) }
        }
      }
    }
    let totals = profiler!.totals
    #expect(totals[Self.outer]!.calls == 1 && totals[Self.inner]!.calls == 2)
    #expect(totals[Self.inner]!.seconds >= 0.04)
    #expect(totals[Self.outer]!.seconds > 0 && totals[Self.outer]!.seconds < 0.02)
    #expect(totals[Self.inner]!.work == Work(arithmetic: 20, directArithmetic: 80, floats: 6))
    #expect(.seconds(totals.values.reduce(0) { $0 + $1.seconds }) <= duration + .nanoseconds(1))
  }

  @Test func anErrorEndsItsMeasurement() {
    let profiler = Profiler()
    #expect(throws: Failure.self) { try profiler.measure(Self.inner, Work()) { throw Failure() } }
    profiler.measure(Self.outer, Work()) { _ = usleep(1000) }
    #expect(profiler.totals[Self.inner]!.calls == 1)
    #expect(profiler.totals[Self.outer]!.seconds >= 0.001)
    profiler.reset()
    #expect(profiler.totals.isEmpty)
  }

  @Test func nothingIsCountedWithoutAProfiler() {
    let profiler: Profiler? = nil
    func count() -> Work {
      Issue.record("work was counted for nobody")
      return Work()
    }
    #expect(profiler.measure(Self.outer, count()) { 7 } == 7)
  }
}
