import Foundation

/// A series as it is drawn: thinned to what a screen shows, with a moving average where values are noisy.
public struct Curve: Sendable, Equatable {
  public typealias Point = Series.Point

  public var name: String
  public var title: String
  /// Empty for a number without one.
  public var unit: String
  /// Of the whole series, before it was thinned.
  public var pointCount: Int
  /// The values, thinned: of each stretch the minimum and the maximum, so that no peak is lost, and a point without a
  /// value; and the first and the last.
  public var points: [Point] = []
  /// Their moving averages, one for each of `points`; empty where values are not averaged.
  public var averages: [Double?] = []
  /// Values that an average looks back on, about.
  public var averageSpan: Int

  /// Fewer values than these are not averaged.
  static let shortestAveraged = 20

  public init(_ series: Series) {
    let kind = Self.known[series.name] ?? (series.name.replacingOccurrences(of: "_", with: " "), "", false)
    name = series.name
    title = kind.title
    unit = kind.unit
    pointCount = series.count
    averageSpan = max(10, series.count / 50)
    let isAveraged = kind.isNoisy && series.count >= Self.shortestAveraged
    let means = isAveraged ? Self.movingAverages(series.stretches, span: averageSpan) : []
    for (number, stretch) in series.stretches.enumerated() {
      var own = stretch.points
      if number == 0, !own.contains(series.first) { own.insert(series.first, at: 0) }
      if number == series.stretches.count - 1, !own.contains(series.last) { own.append(series.last) }
      points += own
      if isAveraged { averages += own.map { $0.value == nil ? nil : means[number] } }
    }
  }

  /// The numbers of a log that have a curve, those that training writes first. Steps, images and seconds are what they
  /// are drawn over, not curves.
  public static func all(of log: MetricsLog) -> [Curve] {
    let order = ["loss", "gradient_norm", "learning_rate", "images_per_second"]
    let others = log.series.map(\.name).filter { !order.contains($0) && $0 != "images" && $0 != "seconds" }
    return (order + others.sorted()).compactMap(log.series(named:)).map(Curve.init)
  }

  private static let known: [String: (title: String, unit: String, isNoisy: Bool)] = [
    "loss": ("Loss", "", true),
    "gradient_norm": ("Gradient norm, before clipping", "", true),
    "learning_rate": ("Learning rate", "", false),
    "images_per_second": ("Throughput", "images/s", false),
  ]

  /// Averages whose weights fall by 1 - 2/(span + 1) with each value back and add up to 1 from the first value on. The
  /// values of a stretch count as so many times their mean. Where there is no value there is no average, and later ones do
  /// without it.
  public static func movingAverages(_ stretches: [Series.Stretch], span: Int) -> [Double?] {
    let remaining = 1 - 2 / Double(span + 1)
    var sum = 0.0
    var weight = 0.0
    return stretches.map { stretch in
      guard let mean = stretch.mean else { return nil }
      let share = 1 - pow(remaining, Double(stretch.valueCount))
      sum = (1 - share) * sum + share * mean
      weight = (1 - share) * weight + share
      let average = sum / weight
      return average.isFinite ? average : nil
    }
  }
}
