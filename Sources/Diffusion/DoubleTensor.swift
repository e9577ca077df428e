import Tensors

/// A dense array of doubles in row-major order, [N, …]. Samplers and likelihoods compute in double precision so that
/// rounding errors do not accumulate over many small steps. The first axis counts the images.
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
  /// The number of elements of one image.
  public var imageSize: Int { shape.dropFirst().reduce(1, *) }

  public func range(ofImage image: Int) -> Range<Int> { image * imageSize..<(image + 1) * imageSize }

  /// The same in single precision, as networks take it.
  public var single: Tensor { Tensor(elements.map(Float.init), shape: shape) }

  /// The images with these indices, in this order.
  public func images(_ indices: [Int]) -> DoubleTensor {
    DoubleTensor(indices.flatMap { elements[range(ofImage: $0)] }, shape: [indices.count] + shape.dropFirst())
  }

  /// Puts images back where `images(_:)` took them from.
  public mutating func replaceImages(_ indices: [Int], with images: DoubleTensor) {
    for (row, index) in indices.enumerated() {
      elements.replaceSubrange(range(ofImage: index), with: images.elements[images.range(ofImage: row)])
    }
  }

  /// Each element clamped to a range; NaN stays NaN.
  public func clamped(to range: ClosedRange<Double>) -> DoubleTensor {
    DoubleTensor(
      elements.map { $0 < range.lowerBound ? range.lowerBound : $0 > range.upperBound ? range.upperBound : $0 },
      shape: shape)
  }

  /// Σ x·y of each image.
  func imageProducts(_ other: DoubleTensor) -> [Double] {
    precondition(other.shape == shape, "shapes \(shape) and \(other.shape) differ")
    return (0..<imageCount).map { image in
      range(ofImage: image).reduce(0) { $0 + elements[$1] * other.elements[$1] }
    }
  }

  /// √Σ x² of each image.
  public var imageNorms: [Double] { imageProducts(self).map { $0.squareRoot() } }
}
