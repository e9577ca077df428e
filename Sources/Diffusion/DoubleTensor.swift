import Tensors

/// A dense array of doubles in row-major order, [N, …]. Samplers and likelihoods compute in double precision so that
/// rounding errors do not accumulate over many small steps. The first axis counts the images.
package struct DoubleTensor: Sendable, Equatable {
  package let shape: [Int]
  package var elements: [Double]

  package init(_ elements: [Double], shape: [Int]) {
    precondition(elements.count == shape.reduce(1, *), "\(elements.count) elements do not fill shape \(shape)")
    self.shape = shape
    self.elements = elements
  }

  package init(repeating value: Double = 0, shape: [Int]) {
    self.init([Double](repeating: value, count: shape.reduce(1, *)), shape: shape)
  }

  package init(_ tensor: Tensor) {
    self.init(tensor.elements.map(Double.init), shape: tensor.shape)
  }

  package var imageCount: Int { shape[0] }
  /// The number of elements of one image.
  package var imageSize: Int { shape.dropFirst().reduce(1, *) }

  package func range(ofImage image: Int) -> Range<Int> { image * imageSize..<(image + 1) * imageSize }

  /// The same in single precision, as networks take it.
  package var single: Tensor { Tensor(elements.map(Float.init), shape: shape) }

  /// The images with these indices, in this order.
  package func images(_ indices: [Int]) -> DoubleTensor {
    DoubleTensor(indices.flatMap { elements[range(ofImage: $0)] }, shape: [indices.count] + shape.dropFirst())
  }

  /// Puts images back where `images(_:)` took them from.
  package mutating func replaceImages(_ indices: [Int], with images: DoubleTensor) {
    for (row, index) in indices.enumerated() {
      elements.replaceSubrange(range(ofImage: index), with: images.elements[images.range(ofImage: row)])
    }
  }

  /// Each element clamped to a range; NaN stays NaN.
  package func clamped(to range: ClosedRange<Double>) -> DoubleTensor {
    DoubleTensor(
      elements.map { $0 < range.lowerBound ? range.lowerBound : $0 > range.upperBound ? range.upperBound : $0 },
      shape: shape)
  }

  /// Each element combined with that of a tensor of the same shape.
  func combined(with other: DoubleTensor, by combine: (Double, Double) -> Double) -> DoubleTensor {
    precondition(other.shape == shape, "shapes \(shape) and \(other.shape) differ")
    return DoubleTensor(zip(elements, other.elements).map(combine), shape: shape)
  }

  /// Σ x·y of each image.
  func imageProducts(_ other: DoubleTensor) -> [Double] {
    precondition(other.shape == shape, "shapes \(shape) and \(other.shape) differ")
    return (0..<imageCount).map { image in
      range(ofImage: image).reduce(0) { $0 + elements[$1] * other.elements[$1] }
    }
  }

  /// √Σ x² of each image.
  package var imageNorms: [Double] { imageProducts(self).map { $0.squareRoot() } }
}
