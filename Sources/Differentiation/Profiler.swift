import Kernels
import Tensors

/// Adds up the time and the work of each kind of operation.
///
/// Operations take an optional profiler; without one they read no clock and count nothing. Measurements may contain one
/// another: what an inner one takes does not count for the outer one, so all times add up to no more than has passed.
/// To be used from one thread.
public final class Profiler {
  /// What is added up together.
  public struct Kind: Hashable, Sendable {
    /// For people.
    public let name: String

    public init(_ name: String) { self.name = name }
  }

  /// What all operations of a kind took together.
  public struct Total: Sendable {
    public fileprivate(set) var duration = Duration.zero
    public fileprivate(set) var calls = 0
    public fileprivate(set) var work = Work()

    public var seconds: Double { duration.inSeconds }

    fileprivate mutating func add(_ duration: Duration, _ work: Work) {
      self.duration += duration
      calls += 1
      self.work += work
    }
  }

  public private(set) var totals: [Kind: Total] = [:]
  /// The time of the measurements that the present one contains.
  private var inner = Duration.zero

  public init() {}

  /// Forgets what was measured so far.
  public func reset() { totals = [:] }

  /// Runs `body` and adds its time and work to those of `kind`.
  public func measure<Result>(_ kind: Kind, _ work: Work, _ body: () throws -> Result) rethrows -> Result {
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
  /// Runs `body`; with a profiler, measures it. `work` is counted only then.
  @inlinable @inline(__always)
  public func measure<Result>(
    _ kind: @autoclosure () -> Profiler.Kind, _ work: @autoclosure () -> Work = Work(), _ body: () throws -> Result
  ) rethrows -> Result {
    guard let profiler = self else { return try body() }
    return try profiler.measure(kind(), work(), body)
  }
}
