import RealModule
import TextFormatting

/// The positions of values along an axis of a drawing, and its labelled ticks.
package struct Axis: Sendable, Equatable {
  package struct Tick: Sendable, Equatable {
    package var value: Double
    package var label: String

    fileprivate init(_ value: Double, step: Double) {
      self.value = value
      label = Axis.label(value, step: step)
    }
  }

  package let lower: Double
  package let upper: Double
  package let isLogarithmic: Bool
  package let ticks: [Tick]

  /// From 0 at the lower end to 1 at the upper end.
  package func position(of value: Double) -> Double {
    let position =
      isLogarithmic
      ? (Double.log(value) - Double.log(lower)) / (Double.log(upper) - Double.log(lower))
      // Halves, since the difference of the largest numbers overflows.
      : (value / 2 - lower / 2) / (upper / 2 - lower / 2)
    return position.isNaN ? 0.5 : min(max(position, 0), 1)
  }

  /// Ranges that contain round numbers. Outside of it, values are too close to the limits of floating-point numbers for
  /// arithmetic.
  private static let sizes = 1e-290...1e290

  /// An axis whose ends are ticks, with further ticks at multiples of 1, 2 or 5 times a power of ten.
  ///
  /// It starts at zero if that leaves no more than half of it empty.
  package static func linear(covering range: ClosedRange<Double>, atMost intervalCount: Int = 6) -> Axis {
    var (minimum, maximum) = (range.lowerBound, range.upperBound)
    if minimum > 0 && minimum < maximum / 2 { minimum = 0 }
    if maximum < 0 && maximum > minimum / 2 { maximum = 0 }
    if minimum == maximum {
      // A constant curve is drawn in the middle.
      let margin = minimum == 0 ? 1 : max(abs(minimum) / 2, sizes.lowerBound)
      let limit = Double.greatestFiniteMagnitude
      (minimum, maximum) = (max(minimum - margin, -limit), min(maximum + margin, limit))
    }
    let size = maximum / Double(intervalCount) - minimum / Double(intervalCount)
    let step = sizes.contains(size) ? niceStep(atLeast: size) : size
    // Ignores rounding errors of multiples.
    let first = (minimum / step + 1e-9).rounded(.down)
    let last = (maximum / step - 1e-9).rounded(.up)
    var values = [minimum, maximum]
    // If the values are so large that adding a step has no effect, there are no ticks in between.
    if sizes.contains(size), last - first <= 20 {
      let multiples = stride(from: first, through: last, by: 1).map { $0 * step }
      if multiples.allSatisfy(\.isFinite) { values = multiples }
    }
    return Axis(
      lower: min(values[0], minimum), upper: max(values[values.count - 1], maximum), isLogarithmic: false,
      ticks: values.map { Tick($0, step: step) })
  }

  /// An axis of steps, from 0 to the last one, whether or not that is a tick.
  package static func steps(upTo last: Int, atMost intervalCount: Int = 5) -> Axis {
    let last = Double(max(last, 1))
    let step = max(1, niceStep(atLeast: last / Double(intervalCount)))
    let values = stride(from: 0, through: last, by: step)
    return Axis(lower: 0, upper: last, isLogarithmic: false, ticks: values.map { Tick($0, step: step) })
  }

  /// An axis with equal space for each power of ten; nil if not all values are positive, or they are near the maximum.
  package static func logarithmic(covering range: ClosedRange<Double>) -> Axis? {
    guard range.lowerBound > 0 else { return nil }
    let decades = Double.log10(range.upperBound) - Double.log10(range.lowerBound)
    // If it spans only few powers of ten, multiples of those are added.
    let factors: [Double] = decades < 1 ? [1, 1.5, 2, 3, 5, 7] : decades < 2.5 ? [1, 2, 5] : [1]
    let first = Int(Double.log10(range.lowerBound).rounded(.down))
    let last = Int(Double.log10(range.upperBound).rounded(.up))
    let powers = (first...max(last, first + 1)).map { Double.pow(10, Double($0)) }
    let candidates = powers.flatMap { power in factors.map { $0 * power } }.filter { $0 > 0 && $0.isFinite }
    let lower = candidates.last { $0 <= range.lowerBound * (1 + 1e-9) } ?? range.lowerBound
    let upper =
      candidates.first { $0 >= range.upperBound * (1 - 1e-9) && $0 > lower }
      ?? min(range.upperBound * 10, .greatestFiniteMagnitude)
    guard lower < upper else { return nil }
    let inside = candidates.filter { $0 >= lower && $0 <= upper }
    let every = max(1, (inside.count + 6) / 7)
    let values = inside.enumerated().filter { $0.offset % every == 0 }.map(\.element)
    return Axis(lower: lower, upper: upper, isLogarithmic: true, ticks: values.map { Tick($0, step: $0) })
  }

  /// The smallest value of 1, 2 or 5 times a power of ten that is at least `size`.
  private static func niceStep(atLeast size: Double) -> Double {
    let power = Double.pow(10, Double.log10(size).rounded(.down))
    // Rounding must not turn a step of 1 into one of 2.
    let factor = [1, 2, 5, 10].first { $0 * power >= size * (1 - 1e-9) } ?? 10
    return factor * power
  }

  /// `0.05`, `20k`, `1.5M`, `5e-5`: with enough decimals to distinguish it from its neighbours.
  private static func label(_ value: Double, step: Double) -> String {
    let size = max(abs(value), step)
    if value == 0 || abs(value) < step / 1000 { return "0" }
    if (step < 1e-4 && size < 1e-3) || !(size < 1e9) { return exponential(value, step: step) }
    let (divisor, suffix): (Double, String) = size >= 1e6 ? (1e6, "M") : size >= 1e4 ? (1e3, "k") : (1, "")
    let decimals = max(0, -Int(Double.log10(step / divisor * (1 + 1e-9)).rounded(.down)))
    return withoutTrailingZeros(String(printf: "%.\(min(decimals + 1, 12))f", value / divisor)) + suffix
  }

  private static func exponential(_ value: Double, step: Double) -> String {
    let decimals = Double.log10(abs(value)).rounded(.down) - Double.log10(step).rounded(.down) + 1
    let parts = String(printf: "%.\(Int(min(max(decimals, 2), 15)))e", value).split(separator: "e")
    guard parts.count == 2 else { return "\(value)" }
    return "\(withoutTrailingZeros(String(parts[0])))e\(Int(parts[1]) ?? 0)"
  }

  private static func withoutTrailingZeros(_ number: String) -> String {
    var number = number
    while number.contains("."), number.hasSuffix("0") || number.hasSuffix(".") { number.removeLast() }
    return number
  }
}
