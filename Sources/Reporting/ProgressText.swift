import RealModule
import TextFormatting

/// Something that a progress line can show.
package protocol ProgressText {
  /// One line without a newline, in versions from the most detailed to the shortest.
  var versions: [String] { get }
}

extension ProgressText {
  /// The most detailed version of at most `width` characters, or the beginning of the shortest; the most detailed of all
  /// when `width` is nil.
  package func line(width: Int? = nil) -> String {
    let versions = versions
    guard let width else { return versions[0] }
    return versions.first { $0.count <= width } ?? String(versions[versions.count - 1].prefix(width))
  }
}

/// The progress of training: `step 120/2000  loss 0.0432  grad 0.31  812 img/s  2:13 left`.
package struct TrainingProgress: ProgressText, Sendable, Equatable {
  /// The numbers of the last step; its speed is 0 if unknown.
  package var record: MetricsRecord
  package var stepCount: Int
  package var imagesPerStep: Int
  package var speedUnit: String

  /// - Parameter speedUnit: what is said of the number of images or fields per second.
  package init(_ record: MetricsRecord, stepCount: Int, imagesPerStep: Int, speedUnit: String = "img/s") {
    self.record = record
    self.stepCount = stepCount
    self.imagesPerStep = imagesPerStep
    self.speedUnit = speedUnit
  }

  /// The time for the remaining steps at this speed, if it is known.
  package var secondsLeft: Double? {
    guard record.imagesPerSecond > 0 else { return nil }
    return Double((stepCount - record.step) * imagesPerStep) / record.imagesPerSecond
  }

  package var versions: [String] {
    let loss = "loss \(ProgressFormat.decimal(record.loss, places: 4))"
    let gradient = "grad \(ProgressFormat.decimal(record.gradientNorm, places: 2))"
    let rate = record.imagesPerSecond > 0 ? "\(ProgressFormat.rate(record.imagesPerSecond)) \(speedUnit)" : nil
    let left = secondsLeft.map { "\(ProgressFormat.duration(seconds: $0)) left" }
    // The least useful parts are dropped first.
    let layouts: [[String?]] = [[loss, gradient, rate, left], [loss, rate, left], [loss, left], [loss], []]
    return layouts.map { parts in
      (["step \(record.step)/\(stepCount)"] + parts.compactMap(\.self)).joined(separator: "  ")
    }
  }
}

/// The progress of sampling or similar work: `sampling 64 images: step 40/100`.
package struct SamplingProgress: ProgressText, Sendable, Equatable {
  package var work: String
  package var imageCount: Int
  package var noun: String
  package var step: Int
  package var stepCount: Int

  /// - Parameter noun: the word for what is counted.
  package init(
    _ work: String = "sampling", imageCount: Int, of noun: String = "image", step: Int, stepCount: Int
  ) {
    self.work = work
    self.imageCount = imageCount
    self.noun = noun
    self.step = step
    self.stepCount = stepCount
  }

  package var versions: [String] {
    ["\(work) \(ProgressFormat.count(imageCount, of: noun)): step \(step)/\(stepCount)"]
  }
}

/// Numbers and times formatted for users.
package enum ProgressFormat {
  /// `2:13`, `1:02:13`, `3d 1:02:13`; seconds are rounded to the nearest.
  package static func duration(seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "?" }
    let total = Int(max(0, seconds).rounded())
    let (days, hours, minutes) = (total / 86400, total / 3600 % 24, total / 60 % 60)
    if days > 0 { return "\(days)d " + String(printf: "%ld:%02ld:%02ld", hours, minutes, total % 60) }
    if hours > 0 { return String(printf: "%ld:%02ld:%02ld", hours, minutes, total % 60) }
    return String(printf: "%ld:%02ld", minutes, total % 60)
  }

  /// A number with a fixed number of decimal places, or in scientific notation if these would not show it.
  package static func decimal(_ value: Double, places: Int) -> String {
    guard value.isFinite else { return "\(value)" }
    let size = abs(value)
    let isShown = size == 0 || (size >= Double.pow(10, Double(-places)) && size < 1e4)
    return String(printf: isShown ? "%.\(places)f" : "%.2e", value)
  }

  /// A number with three significant digits, without trailing zeros: `0`, `249.8`, `0.0123`.
  package static func shortDecimal(_ value: Double) -> String {
    value == value.rounded() ? String(printf: "%.0f", value) : String(printf: value >= 100 ? "%.1f" : "%.3g", value)
  }

  /// A speed with about three digits: `812`, `24.3`, `0.57`.
  package static func rate(_ perSecond: Double) -> String {
    String(printf: perSecond >= 100 ? "%.0f" : perSecond >= 10 ? "%.1f" : "%.2f", perSecond)
  }

  /// An integer with thousands separators: `35,746,307`.
  package static func count(_ number: Int) -> String {
    var text = ""
    for (index, digit) in String(number).reversed().enumerated() {
      if index > 0 && index % 3 == 0 && digit != "-" { text = "," + text }
      text = "\(digit)\(text)"
    }
    return text
  }

  /// The shape of an image: `32x32x3`.
  package static func dimensions(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: "x") }

  /// An amount of memory: `512 B`, `3.4 MiB`, `136 MiB`, `1.2 GiB`.
  package static func bytes(_ count: Int) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"]
    guard count >= 1024 else { return "\(count) B" }
    var value = Double(count) / 1024
    var unit = 0
    while value >= 1024 && unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return String(printf: value >= 10 ? "%.0f" : "%.1f", value) + " " + units[unit]
  }

  /// A number of things: `1 rank`, `2 ranks`.
  package static func count(_ number: Int, of noun: String) -> String {
    number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
  }
}
