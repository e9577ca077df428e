import RealModule

/// A series prepared for drawing: thinned to the resolution of a screen, with a moving average for noisy values.
package struct Curve: Sendable, Equatable {
  package var name: String
  package var title: String
  /// Empty for a number without a unit.
  package var unit: String
  /// The number of values of the whole series, before thinning.
  package var pointCount: Int
  /// The thinned values: the first and the last, and for each stretch the minimum and the maximum, so that no peak is
  /// lost, and one point without a value, if any.
  package var points: [Series.Point] = []
  /// Their moving averages, one for each of `points`; empty if the values are not averaged.
  package var averages: [Double?] = []
  /// The approximate number of values that an average covers.
  package var averageSpan: Int

  /// Series with fewer values are not averaged.
  static let shortestAveraged = 20

  /// - Parameter noun: the word for a sample of the data.
  package init(_ series: Series, of noun: String = "image") {
    let kind = Self.known[series.name] ?? (series.name.replacing("_", with: " "), "", false)
    name = series.name
    title = kind.title
    unit = series.name == "images_per_second" ? "\(noun)s/s" : kind.unit
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

  /// The curves of a log, in training's order. Steps, images and seconds are x-axes, not curves.
  /// - Parameter noun: the word for a sample of the data.
  package static func all(of log: MetricsLog, noun: String = "image") -> [Curve] {
    let order = ["loss", "gradient_norm", "learning_rate", "images_per_second"]
    let others = log.series.map(\.name).filter { !order.contains($0) && $0 != "images" && $0 != "seconds" }
    return (order + others.sorted()).compactMap(log.series(named:)).map { Curve($0, of: noun) }
  }

  private static let known: [String: (title: String, unit: String, isNoisy: Bool)] = [
    "loss": ("Loss", "", true),
    "gradient_norm": ("Gradient norm, before clipping", "", true),
    "learning_rate": ("Learning rate", "", false),
    "images_per_second": ("Throughput", "", false),
    "spectrum_error": ("Spectrum error", "", false),
    "cross_spectrum_error": ("Cross-spectrum error", "", false),
    "histogram_distance": ("Histogram distance", "", false),
    "relative_crps": ("CRPS, relative to the data's standard deviation", "", false),
    "spread_skill": ("Spread/skill ratio", "", false),
  ]

  /// Averages whose weights fall by a factor of 1 - 2/(span + 1) with each earlier value and always add up to 1. The
  /// values of a stretch count as that many times their mean. A point without a value has no average, and later
  /// averages skip it.
  package static func movingAverages(_ stretches: [Series.Stretch], span: Int) -> [Double?] {
    let remaining = 1 - 2 / Double(span + 1)
    var sum = 0.0
    var weight = 0.0
    return stretches.map { stretch in
      guard let mean = stretch.mean else { return nil }
      let share = 1 - Double.pow(remaining, Double(stretch.valueCount))
      sum = (1 - share) * sum + share * mean
      weight = (1 - share) * weight + share
      let average = sum / weight
      return average.isFinite ? average : nil
    }
  }
}
