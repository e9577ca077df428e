/// The mean of all channels: y is [H, W, 1]. Restoring is colourisation. In an orthonormal basis of colours whose first
/// vector is (1, …, 1)/√C, as Song et al. use (arXiv:2011.13456, appendix I.3), √C·y is the first coordinate, and the
/// others are unknown.
package struct GreyOperator: MeasurementOperator {
  package let imageShape: [Int]

  /// - Throws: `DiffusionError` naming `operator` if there is only one channel.
  package init(imageShape: [Int]) throws(DiffusionError) {
    try requireImageShape(imageShape)
    try require(imageShape[2] > 1, "operator", "grey needs images of several channels; these have one")
    self.imageShape = imageShape
  }

  private var channels: Int { imageShape[2] }

  package var measurementShape: [Int] { [imageShape[0], imageShape[1], 1] }
  package var rowSquare: Double? { 1 / Double(channels) }
  package var channelsOfElements: [Int]? { nil }

  package func apply(_ x: DoubleTensor) -> DoubleTensor {
    check(images: x)
    let sums = stride(from: 0, to: x.elements.count, by: channels).map { pixel in
      x.elements[pixel..<pixel + channels].reduce(0, +)
    }
    return DoubleTensor(DoubleTensor(sums, shape: shape(ofMeasurements: x.imageCount)) / Double(channels))
  }

  package func adjoint(_ y: DoubleTensor) -> DoubleTensor {
    check(measurements: y)
    let repeated = y.elements.flatMap { [Double](repeating: $0, count: channels) }
    return DoubleTensor(DoubleTensor(repeated, shape: shape(ofImages: y.imageCount)) / Double(channels))
  }
}
