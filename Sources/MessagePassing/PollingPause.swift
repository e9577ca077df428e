import Glibc

/// The pauses of a thread that looks again and again whether something has happened on other ranks.
///
/// A pause is a 64th of the wait so far, within bounds. A short wait therefore ends at once, and a long one, which
/// leaves the core to other threads, ends a little late. This also suits messages that arrive in parts, one part per
/// look: the faster they arrive, the shorter are the pauses.
package struct PollingPause {
  private let minimum: Int
  /// The pauses so far, in microseconds.
  private var total = 0

  private static let fraction = 64
  private static let maximum = 1000

  /// - Parameter minimum: in microseconds.
  package init(minimum: Int) { self.minimum = minimum }

  /// The length of the next pause, in microseconds.
  package var next: Int { min(max(minimum, total / Self.fraction), Self.maximum) }

  /// Sleeps until the next look.
  package mutating func take() {
    let length = next
    usleep(UInt32(length))
    total += length
  }
}
