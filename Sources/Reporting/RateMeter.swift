/// The speed of recent work.
package struct RateMeter: Sendable {
  /// The length of the averaging window, in seconds of work.
  package let window: Double
  private var recent: [(count: Int, seconds: Double)] = []
  private var totalCount = 0
  private var totalSeconds = 0.0

  package init(window: Double = 20) {
    self.window = window
  }

  /// Records `count` images that took `seconds`. Pauses in between, such as for saving, are not counted.
  package mutating func record(_ count: Int, seconds: Double) {
    recent.append((count, seconds))
    totalCount += count
    totalSeconds += seconds
    var outdated = 0
    while outdated < recent.count - 1, totalSeconds - recent[outdated].seconds >= window {
      totalCount -= recent[outdated].count
      totalSeconds -= recent[outdated].seconds
      outdated += 1
    }
    recent.removeFirst(outdated)
  }

  /// Images per second over the window; 0 if nothing was recorded.
  package var perSecond: Double {
    totalSeconds > 0 ? Double(totalCount) / totalSeconds : 0
  }
}
