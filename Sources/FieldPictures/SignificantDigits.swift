import TextFormatting

/// A number with this many significant digits, without trailing zeros: `0.00123` or `-12300`, and beyond these powers of
/// ten `1.23e-4` or `1.23e5`.
package func significantDigits(_ value: Double, count: Int = 3) -> String {
  guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
  let parts = String(printf: "%.\(count - 1)e", abs(value)).split(separator: "e")
  let exponent = Int(parts[1]) ?? 0
  var digits = parts[0].filter { $0 != "." }
  while digits.count > 1, digits.last == "0" { digits.removeLast() }
  let sign = value < 0 ? "-" : ""
  if value == 0 { return "0" }
  switch exponent {
  case 0...4:
    let whole = digits.prefix(exponent + 1)
    let fraction = digits.dropFirst(exponent + 1)
    let zeros = String(repeating: "0", count: exponent + 1 - whole.count)
    return sign + whole + zeros + (fraction.isEmpty ? "" : "." + fraction)
  case -3 ... -1:
    return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits
  default:
    let fraction = digits.dropFirst()
    return sign + digits.prefix(1) + (fraction.isEmpty ? "" : "." + fraction) + "e\(exponent)"
  }
}

/// How many digits the ends of a range need: three, or as many as tell them apart, at most nine.
func digitCount(of range: ClosedRange<Double>) -> Int {
  let counts = 3...9
  let differs = { significantDigits(range.lowerBound, count: $0) != significantDigits(range.upperBound, count: $0) }
  return range.lowerBound < range.upperBound ? counts.first(where: differs) ?? counts.upperBound : counts.lowerBound
}
