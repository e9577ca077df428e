/// The values of one name in a log, in the order of their steps, thinned to the resolution of a screen.
package struct Series: Sendable, Equatable {
  package struct Point: Sendable, Equatable {
    package var step: Int
    /// nil if it was not a finite number.
    package var value: Double?

    package init(step: Int, value: Double?) {
      self.step = step
      self.value = value
    }
  }

  /// A summary of consecutive values; in a short series, of a single value.
  package struct Stretch: Sendable, Equatable {
    package private(set) var minimum: Point?
    package private(set) var maximum: Point?
    /// A point without a value.
    package private(set) var gap: Point?
    package private(set) var valueCount = 0
    /// The mean of the values; nil if there are none.
    package private(set) var mean: Double?

    init(_ point: Point) {
      guard let value = point.value else {
        gap = point
        return
      }
      (minimum, maximum, mean, valueCount) = (point, point, value, 1)
    }

    /// Merges an earlier stretch into this one.
    mutating func add(_ earlier: Stretch) {
      gap = earlier.gap ?? gap
      guard let itsMean = earlier.mean, let itsMinimum = earlier.minimum, let itsMaximum = earlier.maximum else {
        return
      }
      guard let mean, let minimum, let maximum else {
        (minimum, maximum, mean, valueCount) = (itsMinimum, itsMaximum, itsMean, earlier.valueCount)
        return
      }
      if Self.value(itsMinimum) <= Self.value(minimum) { self.minimum = itsMinimum }
      if Self.value(itsMaximum) >= Self.value(maximum) { self.maximum = itsMaximum }
      let share = Double(earlier.valueCount) / Double(valueCount + earlier.valueCount)
      self.mean = (1 - share) * mean + share * itsMean
      valueCount += earlier.valueCount
    }

    private static func value(_ point: Point) -> Double { point.value ?? 0 }

    /// In the order of their steps.
    var points: [Point] {
      var points: [Point] = []
      for point in [minimum, maximum, gap].compactMap(\.self) where !points.contains(point) { points.append(point) }
      return points.sorted { $0.step < $1.step }
    }
  }

  package let name: String
  /// The number of points before thinning, including those without a value.
  package let count: Int
  package let first: Point
  package let last: Point
  /// In the order of steps, at most `stretchLimit`.
  package let stretches: [Stretch]

  /// A series with more points is thinned.
  package static let stretchLimit = 600

  init?(name: String, _ thinning: SeriesThinning) {
    guard let first = thinning.first, let last = thinning.last else { return nil }
    self.name = name
    (count, self.first, self.last, stretches) = (thinning.count, first, last, thinning.stretches)
  }
}

/// Thins a series whose points are added one by one, starting with the last, with memory that does not grow with their
/// number.
///
/// In this order, the values of a resumed run come before the outdated ones of the earlier run: a point is ignored if
/// its step is not before that of the point added previously. Stretches start at the last step and double in length
/// whenever there are too many, so the length of the series need not be known.
struct SeriesThinning {
  private(set) var count = 0
  private(set) var first: Series.Point?
  private(set) var last: Series.Point?
  /// The number of steps in a stretch.
  private var width = 1
  /// The stretches, last one first, with their distance from the last stretch.
  private var parts: [(index: Int, stretch: Series.Stretch)] = []

  /// - Returns: whether the point was used.
  /// - Parameter point: a point whose step is not negative.
  mutating func add(_ point: Series.Point) -> Bool {
    if let first, point.step >= first.step { return false }
    count += 1
    first = point
    let last = last ?? point
    self.last = last
    add(Series.Stretch(point), at: (last.step - point.step) / width)
    while parts.count > Series.stretchLimit { widen() }
    return true
  }

  var stretches: [Series.Stretch] { parts.reversed().map(\.stretch) }

  private mutating func add(_ stretch: Series.Stretch, at index: Int) {
    if parts.last?.index == index {
      parts[parts.count - 1].stretch.add(stretch)
    } else {
      parts.append((index, stretch))
    }
  }

  private mutating func widen() {
    let before = parts
    parts = []
    width *= 2
    for (index, stretch) in before { add(stretch, at: index / 2) }
  }
}
