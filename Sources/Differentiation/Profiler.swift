import Kernels
import Tensors

/// Adds up the time and the work of each kind of operation.
///
/// Operations take an optional profiler; without one they read no clock and count nothing. Measurements may be nested:
/// the time of an inner one is not counted for the outer one, so the sum of all times is at most the time that has
/// passed. Use it from one thread only.
package final class Profiler {
  /// A category whose measurements are added up.
  package struct Kind: Hashable, Sendable {
    /// The name in reports.
    package let name: String

    package init(_ name: String) { self.name = name }
  }

  /// The total of all operations of a kind.
  package struct Total: Sendable {
    package fileprivate(set) var duration = Duration.zero
    package fileprivate(set) var calls = 0
    package fileprivate(set) var work = Work()

    package var seconds: Double { duration.inSeconds }

    fileprivate mutating func add(_ duration: Duration, _ work: Work) {
      self.duration += duration
      calls += 1
      self.work += work
    }
  }

  package private(set) var totals: [Kind: Total] = [:]
  /// The time of measurements nested in the current one.
  private var inner = Duration.zero

  package init() {}

  /// Discards all measurements.
  package func reset() { totals = [:] }

  /// Runs `body` and adds its time and work to those of `kind`.
  package func measure<Result>(_ kind: Kind, _ work: Work, _ body: () throws -> Result) rethrows -> Result {
    let innerOfOuter = inner
    inner = .zero
    let start = ContinuousClock.now
    defer {
      let duration = start.duration(to: .now)
      totals[kind, default: Total()].add(duration - inner, work)
      inner = innerOfOuter + duration
    }
    return try body()
  }
}

extension Profiler? {
  /// Runs `body`, and measures it if there is a profiler. `work` is evaluated only in that case.
  @inline(__always)
  package func measure<Result>(
    _ kind: @autoclosure () -> Profiler.Kind, _ work: @autoclosure () -> Work = Work(), _ body: () throws -> Result
  ) rethrows -> Result {
    guard let profiler = self else { return try body() }
    return try profiler.measure(kind(), work(), body)
  }
}
