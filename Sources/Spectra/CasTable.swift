import RealModule
import Tensors

/// cas(2πj/n) / √n for j = 0 … n − 1, where cas x = cos x + sin x: the numbers of the orthonormal discrete Hartley
/// transform of n points (Bracewell, 1983), c[r, k] = cas(2πrk/n) / √n. As a matrix it is symmetric and its own inverse.
struct CasTable: Sendable {
  let values: Buffer<Double>

  var count: Int { values.count }

  init(count: Int) {
    verify(count >= 1, "a transform needs at least one point, not \(count)")
    values = Buffer(count: count)
    let scale = 1 / Double(count).squareRoot()
    for j in 0..<count {
      // sin x is the cosine a quarter of a turn earlier.
      values[j] = scale * (Self.cosine(j, of: count) + Self.cosine(4 * j - count, of: 4 * count))
    }
  }

  /// cos(2π·part/whole). The angle is brought into an eighth of a turn by exact arithmetic, so that symmetric angles
  /// have the same value, and right angles have 0 and ±1.
  ///
  /// - Parameter part: from −whole to whole.
  private static func cosine(_ part: Int, of whole: Int) -> Double {
    var (part, whole) = (abs(part), whole)
    if 2 * part > whole { part = whole - part }
    let isNegative = 4 * part > whole
    if isNegative { (part, whole) = (whole - 2 * part, 2 * whole) }
    let value =
      8 * part <= whole
      ? Double.cos(2 * .pi * (Double(part) / Double(whole)))
      : Double.sin(2 * .pi * (Double(whole - 4 * part) / Double(4 * whole)))
    return isNegative ? -value : value
  }
}
