/// The time since something was last heard, counting only the time in which this process itself was running: a job that
/// is suspended as a whole, or a laptop that sleeps, does not hang.
package struct SilenceClock: Sendable {
  private var lastHeard: Double
  private var lastTick: Double

  package init(now: Double) {
    lastHeard = now
    lastTick = now
  }

  package mutating func hear(now: Double) { lastHeard = max(lastHeard, now) }

  /// Call it in every interval.
  package mutating func tick(now: Double, interval: Double) {
    let gap = now - lastTick
    // This process was not running either.
    if gap > 2 * interval + 1 { lastHeard += gap }
    lastTick = now
  }

  package func seconds(now: Double) -> Double { now - lastHeard }
}
