import Tensors

/// A dense array of doubles in row-major order, [N, …]: what samplers and likelihoods compute in, where many small steps
/// must not add up their roundings. Images are the entries of the first axis.
public struct DoubleTensor: Sendable, Equatable {
  public let shape: [Int]
  public var elements: [Double]

  public init(_ elements: [Double], shape: [Int]) {
    precondition(elements.count == shape.reduce(1, *), "\(elements.count) elements do not fill shape \(shape)")
    self.shape = shape
    self.elements = elements
  }

  public init(repeating value: Double = 0, shape: [Int]) {
    self.init([Double](repeating: value, count: shape.reduce(1, *)), shape: shape)
  }

  public init(_ tensor: Tensor) {
    self.init(tensor.elements.map(Double.init), shape: tensor.shape)
  }

  public var imageCount: Int { shape[0] }
  /// Elements of one image.
  public var imageSize: Int { shape.dropFirst().reduce(1, *) }

  public func range(ofImage image: Int) -> Range<Int> { image * imageSize..<(image + 1) * imageSize }

  /// In single precision, as networks take it.
  public var single: Tensor { Tensor(elements.map(Float.init), shape: shape) }

  /// Some images, in the order given.
  public func images(_ indices: [Int]) -> DoubleTensor {
    DoubleTensor(indices.flatMap { elements[range(ofImage: $0)] }, shape: [indices.count] + shape.dropFirst())
  }

  /// Puts images back in the places that `images(_:)` took them from.
  public mutating func replaceImages(_ indices: [Int], with images: DoubleTensor) {
    for (row, index) in indices.enumerated() {
      elements.replaceSubrange(range(ofImage: index), with: images.elements[images.range(ofImage: row)])
    }
  }

  /// Σ factor·tensor, with a factor for each image.
  public static func sum(_ terms: [(factors: [Double], tensor: DoubleTensor)]) -> DoubleTensor {
    let first = terms[0].tensor
    var result = DoubleTensor(shape: first.shape)
    for (factors, tensor) in terms {
      precondition(tensor.shape == first.shape, "shapes \(first.shape) and \(tensor.shape) differ")
      precondition(factors.count == first.imageCount, "\(factors.count) factors for \(first.imageCount) images")
      result.elements.withUnsafeMutableBufferPointer { sums in
        tensor.elements.withUnsafeBufferPointer { addends in
          for image in 0..<first.imageCount {
            let factor = factors[image]
            for index in first.range(ofImage: image) { sums[index] += factor * addends[index] }
          }
        }
      }
    }
    return result
  }

  /// Σ factor·tensor, with the same factor for all images.
  public static func sum(_ terms: (factor: Double, tensor: DoubleTensor)...) -> DoubleTensor {
    sum(terms.map { (Array(repeating: $0.factor, count: $0.tensor.imageCount), $0.tensor) })
  }

  /// Each element kept within a range; NaN stays NaN.
  public func clamped(to range: ClosedRange<Double>) -> DoubleTensor {
    DoubleTensor(
      elements.map { $0 < range.lowerBound ? range.lowerBound : $0 > range.upperBound ? range.upperBound : $0 },
      shape: shape)
  }

  /// √Σ x² of each image.
  public var imageNorms: [Double] {
    (0..<imageCount).map { image in
      range(ofImage: image).reduce(0) { $0 + elements[$1] * elements[$1] }.squareRoot()
    }
  }
}
