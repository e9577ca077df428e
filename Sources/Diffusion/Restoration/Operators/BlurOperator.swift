import RealModule

/// A Gaussian blur of each channel, along both axes: y is [H, W, C]. The weights exp(−d²/(2·σ²)) reach to 4σ, and their
/// sum is 1. A is symmetric, but too small for details finer than σ to be inverted without noise.
package struct BlurOperator: MeasurementOperator {
  /// How an axis continues beyond its ends.
  package enum Border: String, Sendable, CaseIterable {
    /// … c | a b c | a …
    case periodic
    /// … b a | a b c | c b …, for which A is symmetric.
    case reflecting
  }

  package let imageShape: [Int]
  /// σ in pixels.
  package let sigma: Double
  /// For each row, and each column, the rows or columns that contribute to it, with their weights.
  private let (rows, columns): ([[Contribution]], [[Contribution]])

  private struct Contribution: Sendable {
    let index: Int
    let weight: Double
  }

  /// - Parameters:
  ///   - vertical: the border at the first and last row.
  ///   - horizontal: the border at the first and last column.
  /// - Throws: `DiffusionError` naming `operator` unless σ is positive and below height and width.
  package init(
    sigma: Double, imageShape: [Int], vertical: Border = .reflecting, horizontal: Border = .reflecting
  ) throws(DiffusionError) {
    try requireImageShape(imageShape)
    let (height, width) = (imageShape[0], imageShape[1])
    try require(
      sigma > 0 && sigma <= Double(min(height, width)), "operator",
      "blur=\(sigma) must be above 0 and at most \(min(height, width)), in pixels")
    self.imageShape = imageShape
    self.sigma = sigma
    rows = Self.contributions(length: height, sigma: sigma, border: vertical)
    columns = Self.contributions(length: width, sigma: sigma, border: horizontal)
  }

  private static func contributions(length: Int, sigma: Double, border: Border) -> [[Contribution]] {
    let radius = Int((4 * sigma).rounded(.up))
    let weights = (-radius...radius).map { Double.exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let total = weights.reduce(0, +)
    let period = border == .periodic ? length : 2 * length
    return (0..<length).map { center in
      // A wide blur reaches some rows or columns several times.
      var sums = Array(repeating: 0.0, count: length)
      for (offset, weight) in zip(-radius...radius, weights) {
        let position = ((center + offset) % period + period) % period
        sums[position < length ? position : period - 1 - position] += weight / total
      }
      return sums.enumerated().filter { $0.element > 0 }.map { Contribution(index: $0.offset, weight: $0.element) }
    }
  }

  package var measurementShape: [Int] { imageShape }
  package var rowSquare: Double? { nil }

  package func apply(_ x: DoubleTensor) -> DoubleTensor {
    check(images: x)
    let (height, rowSize, channels) = (imageShape[0], imageShape[1] * imageShape[2], imageShape[2])
    let vertical = blurred(x, along: rows, outerCount: x.imageCount, innerCount: rowSize)
    return blurred(vertical, along: columns, outerCount: x.imageCount * height, innerCount: channels)
  }

  package func adjoint(_ y: DoubleTensor) -> DoubleTensor { apply(y) }

  /// Blurs the middle axis of [outerCount, axis.count, innerCount].
  private func blurred(
    _ x: DoubleTensor, along axis: [[Contribution]], outerCount: Int, innerCount: Int
  ) -> DoubleTensor {
    let from = x.elements
    var to: [Double] = []
    to.reserveCapacity(from.count)
    for outer in 0..<outerCount {
      let start = outer * axis.count * innerCount
      for contributions in axis {
        for inner in 0..<innerCount {
          var sum = 0.0
          for contribution in contributions {
            sum += contribution.weight * from[start + contribution.index * innerCount + inner]
          }
          to.append(sum)
        }
      }
    }
    return DoubleTensor(to, shape: x.shape)
  }
}
