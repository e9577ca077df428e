import Foundation

/// A series as it is drawn: thinned to what a screen shows, with a moving average where values are noisy.
public struct Curve: Sendable, Equatable {
  public typealias Point = MetricsLog.Point

  public var name: String
  public var title: String
  /// Empty for a number without one.
  public var unit: String
  /// Of the whole series, before it was thinned.
  public var pointCount: Int
  /// The values, thinned.
  public var points: [Point]
  /// Their moving averages, one for each of `points`; empty where values are not averaged.
  public var averages: [Double?]
  /// Values that an average looks back on, about.
  public var averageSpan: Int

  /// How many stretches a series is cut into that has too many points to draw.
  public static let stretchCount = 300
  /// Fewer values than these are not averaged.
  static let shortestAveraged = 20

  public init(_ series: MetricsLog.Series) {
    let kind = Self.known[series.name] ?? (series.name.replacingOccurrences(of: "_", with: " "), "", false)
    name = series.name
    title = kind.title
    unit = kind.unit
    pointCount = series.points.count
    averageSpan = max(10, series.points.count / 50)
    let kept = Self.thinned(series.points, stretches: Self.stretchCount)
    points = kept.map { series.points[$0] }
    averages = []
    if kind.isNoisy && series.points.count >= Self.shortestAveraged {
      let all = Self.movingAverages(series.points.map(\.value), span: averageSpan)
      averages = kept.map { all[$0] }
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

  /// Which points to draw: all of a short series, else the least and the greatest of each stretch of steps, so that no
  /// peak is lost; with the first, the last, and one of those without a value in each stretch.
  public static func thinned(_ points: [Point], stretches: Int) -> [Int] {
    guard points.count > 2 * stretches, let first = points.first?.step, let last = points.last?.step else {
      return Array(points.indices)
    }
    var kept: [Int] = []
    var start = 0
    for stretch in 1...stretches {
      let bound = first + Int(Double(last - first) * Double(stretch) / Double(stretches))
      var end = start
      while end < points.count, points[end].step < bound || stretch == stretches { end += 1 }
      let indices = start..<end
      let withValue = indices.filter { points[$0].value != nil }
      let chosen = [
        withValue.min { points[$0].value! < points[$1].value! },
        withValue.max { points[$0].value! < points[$1].value! },
        indices.first { points[$0].value == nil }, start == 0 ? indices.first : nil,
        stretch == stretches ? indices.last : nil,
      ]
      kept += Set(chosen.compactMap(\.self)).sorted()
      start = end
    }
    return kept
  }

  /// Averages whose weights fall by 1 - 2/(span + 1) with each value back and add up to 1 from the first value on. Where
  /// there is no value there is no average, and later ones do without it.
  public static func movingAverages(_ values: [Double?], span: Int) -> [Double?] {
    let share = 2 / Double(span + 1)
    var sum = 0.0
    var weight = 0.0
    return values.map { value in
      guard let value else { return nil }
      sum += share * (value - sum)
      weight += share * (1 - weight)
      return sum / weight
    }
  }
}
