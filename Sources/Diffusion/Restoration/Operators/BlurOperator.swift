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
      zip(-radius...radius, weights).map { offset, weight in
        let position = ((center + offset) % period + period) % period
        return Contribution(index: position < length ? position : period - 1 - position, weight: weight / total)
      }
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
    var result = DoubleTensor(shape: x.shape)
    for outer in 0..<outerCount {
      for (position, contributions) in axis.enumerated() {
        let to = (outer * axis.count + position) * innerCount
        for contribution in contributions {
          let from = (outer * axis.count + contribution.index) * innerCount
          for inner in 0..<innerCount {
            result.elements[to + inner] += contribution.weight * x.elements[from + inner]
          }
        }
      }
    }
    return result
  }
}
