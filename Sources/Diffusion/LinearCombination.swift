/// What can stand in a sum of tensors: a tensor, or a sum that has not been computed yet.
public protocol LinearExpression {
  var combination: LinearCombination { get }
}

/// Σ factor·tensor over tensors of one shape, written with operators as in a paper, and computed when a tensor is made
/// of it: in one pass, without temporaries.
///
///     x = DoubleTensor(x + h * (0.5 * d + 0.5 * dNext))
///
/// A factor is one number, or an array with one for each image. A factor before parentheses multiplies the factors inside;
/// a divisor divides them. The products are added from left to right, so that the result does not depend on anything else.
public struct LinearCombination: LinearExpression, Sendable {
  fileprivate enum Factor {
    case same(Double)
    case perImage([Double])

    subscript(image: Int) -> Double {
      switch self {
      case .same(let factor): factor
      case .perImage(let factors): factors[image]
      }
    }

    /// This factor and another, combined image by image.
    func combined(with other: Factor, _ operation: (Double, Double) -> Double) -> Factor {
      switch (self, other) {
      case (.same(let a), .same(let b)): return .same(operation(a, b))
      case (.same(let a), .perImage(let b)): return .perImage(b.map { operation(a, $0) })
      case (.perImage(let a), .same(let b)): return .perImage(a.map { operation($0, b) })
      case (.perImage(let a), .perImage(let b)):
        precondition(a.count == b.count, "\(a.count) factors for \(b.count) images")
        return .perImage(zip(a, b).map(operation))
      }
    }
  }

  fileprivate let terms: [(factor: Factor, tensor: DoubleTensor)]

  public var combination: LinearCombination { self }

  fileprivate init(_ terms: [(Factor, DoubleTensor)]) { self.terms = terms }

  /// Σ factor·tensor of a list.
  init(_ terms: some Sequence<(Double, DoubleTensor)>) { self.init(terms.map { (.same($0), $1) }) }

  fileprivate func mapFactors(_ transform: (Factor) -> Factor) -> LinearCombination {
    LinearCombination(terms.map { (transform($0.factor), $0.tensor) })
  }
}

extension DoubleTensor: LinearExpression {
  public var combination: LinearCombination { LinearCombination([(.same(1), self)]) }

  /// Computes a sum.
  public init(_ expression: some LinearExpression) {
    let terms = expression.combination.terms
    guard let first = terms.first?.tensor else { preconditionFailure("an empty sum has no shape") }
    for (factor, tensor) in terms {
      precondition(tensor.shape == first.shape, "shapes \(first.shape) and \(tensor.shape) differ")
      if case .perImage(let factors) = factor {
        precondition(factors.count == first.imageCount, "\(factors.count) factors for \(first.imageCount) images")
      }
    }
    // So few elements that the sums stay in the first-level cache while one term after another is added.
    let blockSize = 512
    let elements = [Double](unsafeUninitializedCapacity: first.elements.count) { sums, count in
      for image in 0..<first.imageCount {
        let range = first.range(ofImage: image)
        for start in stride(from: range.lowerBound, to: range.upperBound, by: blockSize) {
          let block = start..<min(start + blockSize, range.upperBound)
          sums[block].initialize(repeating: 0)
          for (factor, tensor) in terms {
            let factor = factor[image]
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
  public static func + (a: Self, b: some LinearExpression) -> LinearCombination {
    LinearCombination(a.combination.terms + b.combination.terms)
  }

  public static func - (a: Self, b: some LinearExpression) -> LinearCombination { a + -1 * b }

  public static func * (factor: Double, a: Self) -> LinearCombination { a.multiplied(by: .same(factor)) }

  /// With a factor for each image.
  public static func * (factors: [Double], a: Self) -> LinearCombination { a.multiplied(by: .perImage(factors)) }

  public static func / (a: Self, divisor: Double) -> LinearCombination { a.divided(by: .same(divisor)) }

  /// With a divisor for each image.
  public static func / (a: Self, divisors: [Double]) -> LinearCombination { a.divided(by: .perImage(divisors)) }

  private func multiplied(by other: LinearCombination.Factor) -> LinearCombination {
    combination.mapFactors { $0.combined(with: other, *) }
  }

  private func divided(by other: LinearCombination.Factor) -> LinearCombination {
    combination.mapFactors { $0.combined(with: other, /) }
  }
}
