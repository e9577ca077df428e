/// The mean of each block of factor × factor pixels, in each channel: y is [H/factor, W/factor, C]. Restoring is
/// super-resolution, or downscaling of fields. Its pseudo-inverse repeats each value over its block.
package struct CoarseOperator: MeasurementOperator {
  package let imageShape: [Int]
  package let factor: Int

  /// - Throws: `DiffusionError` naming `operator` unless the factor divides height and width.
  package init(factor: Int, imageShape: [Int]) throws(DiffusionError) {
    try requireImageShape(imageShape)
    let (height, width) = (imageShape[0], imageShape[1])
    try require(factor >= 1, "operator", "coarse=\(factor) must be at least 1")
    try require(
      height % factor == 0 && width % factor == 0, "operator",
      "coarse=\(factor) does not divide images of \(height) x \(width) pixels; give a common divisor")
    self.imageShape = imageShape
    self.factor = factor
  }

  package var measurementShape: [Int] { [imageShape[0] / factor, imageShape[1] / factor, imageShape[2]] }
  package var rowSquare: Double? { 1 / Double(factor * factor) }

  package func apply(_ x: DoubleTensor) -> DoubleTensor {
    check(images: x)
    var y = DoubleTensor(shape: shape(ofMeasurements: x.imageCount))
    forEachPair(count: x.imageCount) { fine, coarse in y.elements[coarse] += x.elements[fine] }
    return DoubleTensor(y / Double(factor * factor))
  }

  package func adjoint(_ y: DoubleTensor) -> DoubleTensor {
    check(measurements: y)
    var x = DoubleTensor(shape: shape(ofImages: y.imageCount))
    forEachPair(count: y.imageCount) { fine, coarse in x.elements[fine] = y.elements[coarse] }
    return DoubleTensor(x / Double(factor * factor))
  }

  /// Calls `body` with each element's index in the images, in order, and that of its block in the measurements.
  private func forEachPair(count: Int, _ body: (_ fine: Int, _ coarse: Int) -> Void) {
    let (height, width, channels) = (imageShape[0], imageShape[1], imageShape[2])
    var fine = 0
    for image in 0..<count {
      for row in 0..<height {
        let blockRow = image * (height / factor) + row / factor
        for column in 0..<width {
          let block = blockRow * (width / factor) + column / factor
          for channel in 0..<channels {
            body(fine, block * channels + channel)
            fine += 1
          }
        }
      }
    }
  }
}
