/// The progress of work on many images or fields: `packing [=====>    ] 32,768/60,000  8120 img/s  0:03 left`.
package struct ImageProgress: ProgressText, Sendable, Equatable {
  package var work: String
  package var done: Int
  package var count: Int
  /// 0 if unknown.
  package var imagesPerSecond: Double
  package var speedUnit: String

  /// - Parameter speedUnit: what is said of their number per second.
  package init(_ work: String, done: Int, count: Int, imagesPerSecond: Double, speedUnit: String = "img/s") {
    self.work = work
    self.done = done
    self.count = count
    self.imagesPerSecond = imagesPerSecond
    self.speedUnit = speedUnit
  }

  package var versions: [String] {
    let numbers = "\(ProgressFormat.count(done))/\(ProgressFormat.count(count))"
    let rate = imagesPerSecond > 0 ? "\(ProgressFormat.rate(imagesPerSecond)) \(speedUnit)" : nil
    let left = rate.map { _ in "\(ProgressFormat.duration(seconds: Double(count - done) / imagesPerSecond)) left" }
    func text(_ parts: [String?]) -> String { parts.compactMap(\.self).joined(separator: "  ") }
    return [
      text(["\(work) \(bar(length: 24)) \(numbers)", rate, left]),
      text(["\(work) \(bar(length: 10)) \(numbers)", left]),
      text(["\(work) \(numbers)", left]), "\(work) \(numbers)", numbers,
    ]
  }

  private func bar(length: Int) -> String {
    let full = count > 0 ? length * min(max(done, 0), count) / count : 0
    let tip = full < length ? ">" : ""
    return "[" + String(repeating: "=", count: full) + tip
      + String(repeating: " ", count: length - full - tip.count) + "]"
  }
}
