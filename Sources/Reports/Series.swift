/// The values of one name in a log, in the order of their steps, thinned to what a screen shows.
public struct Series: Sendable, Equatable {
  public struct Point: Sendable, Equatable {
    public var step: Int
    /// Nil where it was no finite number.
    public var value: Double?

    public init(step: Int, value: Double?) {
      self.step = step
      self.value = value
    }
  }

  /// What is kept of consecutive values; of a short series, one value.
  public struct Stretch: Sendable, Equatable {
    public private(set) var minimum: Point?
    public private(set) var maximum: Point?
    /// A point without a value.
    public private(set) var gap: Point?
    public private(set) var valueCount = 0
    /// Of the values; nil where there is none.
    public private(set) var mean: Double?

    init(_ point: Point) {
      guard let value = point.value else {
        gap = point
        return
      }
      (minimum, maximum, mean, valueCount) = (point, point, value, 1)
    }

    /// Takes in what came before.
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

  public let name: String
  /// Values before they were thinned, and points without one.
  public let count: Int
  public let first: Point
  public let last: Point
  /// In the order of steps, at most `stretchLimit`.
  public let stretches: [Stretch]

  /// A series of more points is thinned.
  public static let stretchLimit = 600

  /// Every point, in order, of the name.
  public init?(name: String, _ points: [Point]) {
    var thinning = SeriesThinning()
    for point in points.reversed() { thinning.add(point) }
    self.init(name: name, thinning)
  }

  init?(name: String, _ thinning: SeriesThinning) {
    guard let first = thinning.first, let last = thinning.last else { return nil }
    self.name = name
    (count, self.first, self.last, stretches) = (thinning.count, first, last, thinning.stretches)
  }
}

/// Thins a series whose points come one by one, the last one first, in memory that does not grow with their number.
///
/// Coming from the end, what a resumed run has said anew is known before what an earlier one had said: a point at or after
/// the step of one that is here already counts no more. And stretches, which begin at the last step and become twice as
/// long whenever there are too many, need no knowledge of the whole.
struct SeriesThinning {
  private(set) var count = 0
  private(set) var first: Series.Point?
  private(set) var last: Series.Point?
  /// Steps of a stretch.
  private var width = 1
  /// How many stretches lie between its own and the last, and what is in it; the last one first.
  private var parts: [(index: Int, stretch: Series.Stretch)] = []

  /// - Returns: whether the point counts.
  /// - Parameter point: its step is not negative.
  @discardableResult
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
