/// A term in a sum of tensors: a tensor, or a sum that has not been computed yet.
package protocol LinearExpression {
  var combination: LinearCombination { get }
}

/// Σ factor·tensor over tensors of the same shape, written with operators as in a paper. It is computed when a tensor
/// is made from it: in one pass, without temporaries.
///
///     x = DoubleTensor(x + h * (0.5 * d + 0.5 * dNext))
///
/// A factor is one number, or an array with one for each image. A factor before parentheses multiplies the factors inside;
/// a divisor divides them. The products are added from left to right, beginning with 0.
package struct LinearCombination: LinearExpression, Sendable {
  /// One factor per image.
  fileprivate let terms: [(factors: [Double], tensor: DoubleTensor)]

  package var combination: LinearCombination { self }
}

extension LinearCombination {
  /// Σ factor·tensor over a list.
  init(_ terms: some Sequence<(Double, DoubleTensor)>) {
    self.init(terms: terms.map { (Array(repeating: $0, count: $1.imageCount), $1) })
  }
}

extension DoubleTensor: LinearExpression {
  package var combination: LinearCombination { LinearCombination([(1, self)]) }

  /// Computes a sum.
  package init(_ expression: some LinearExpression) {
    let terms = expression.combination.terms
    guard let first = terms.first?.tensor else { preconditionFailure("an empty sum has no shape") }
    for (_, tensor) in terms {
      precondition(tensor.shape == first.shape, "shapes \(first.shape) and \(tensor.shape) differ")
    }
    // Small enough that the sums stay in the first-level cache while the terms are added one after another.
    let blockSize = 512
    let elements = [Double](unsafeUninitializedCapacity: first.elements.count) { sums, count in
      for image in 0..<first.imageCount {
        let range = first.range(ofImage: image)
        for start in stride(from: range.lowerBound, to: range.upperBound, by: blockSize) {
          let block = start..<min(start + blockSize, range.upperBound)
          sums[block].initialize(repeating: 0)
          for (factors, tensor) in terms {
            let factor = factors[image]
            tensor.elements.withUnsafeBufferPointer { addends in
              for index in block { sums[index] += factor * addends[index] }
            }
          }
        }
      }
      count = first.elements.count
    }
    self.init(elements, shape: first.shape)
  }
}

extension LinearExpression {
  package static func + (a: Self, b: some LinearExpression) -> LinearCombination {
    LinearCombination(terms: a.combination.terms + b.combination.terms)
  }

  package static func - (a: Self, b: some LinearExpression) -> LinearCombination { a + -1 * b }

  package static func * (factor: Double, a: Self) -> LinearCombination { a.rescaled { _, own in factor * own } }

  package static func / (a: Self, divisor: Double) -> LinearCombination { a.rescaled { _, own in own / divisor } }

  /// One factor per image.
  package static func * (factors: [Double], a: Self) -> LinearCombination {
    a.rescaled(imageCount: factors.count) { image, own in factors[image] * own }
  }

  /// One divisor per image.
  package static func / (a: Self, divisors: [Double]) -> LinearCombination {
    a.rescaled(imageCount: divisors.count) { image, own in own / divisors[image] }
  }

  /// - Parameter imageCount: the number of images that the change depends on; nil if it is the same for all.
  private func rescaled(imageCount: Int? = nil, _ change: (_ image: Int, _ own: Double) -> Double) -> LinearCombination
  {
    LinearCombination(
      terms: combination.terms.map { factors, tensor in
        precondition(
          imageCount ?? factors.count == factors.count, "factors for \(imageCount!) images, not \(factors.count)")
        return (factors.enumerated().map(change), tensor)
      })
  }
}
