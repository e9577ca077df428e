/// Keeps the known elements of an image and drops all others: inpainting, or measurements at single points.
package struct MaskOperator: MeasurementOperator {
  package let imageShape: [Int]
  /// The indices of the known elements in an image, ascending.
  package let known: [Int]

  /// - Parameter isKnown: for each element of [H, W, C], or for each pixel of [H, W].
  /// - Throws: `DiffusionError` naming `mask` if its size is another, or nothing is known.
  package init(isKnown: [Bool], imageShape: [Int]) throws(DiffusionError) {
    try requireImageShape(imageShape)
    let (pixels, channels) = (imageShape[0] * imageShape[1], imageShape[2])
    try require(
      isKnown.count == pixels || isKnown.count == pixels * channels, "mask",
      "it has \(isKnown.count) elements; images of \(imageShape) need \(pixels), one per pixel, or \(pixels * channels)"
    )
    let perPixel = isKnown.count == pixels ? channels : 1
    known = isKnown.indices.filter { isKnown[$0] }.flatMap { $0 * perPixel..<($0 + 1) * perPixel }
    try require(!known.isEmpty, "mask", "it marks nothing as known; draw images with `sample` instead")
    self.imageShape = imageShape
  }

  package var measurementShape: [Int] { [known.count] }
  package var rowSquare: Double? { 1 }
  package var channelsOfElements: [Int]? { known.map { $0 % imageShape[2] } }

  package func apply(_ x: DoubleTensor) -> DoubleTensor {
    check(images: x)
    let values = (0..<x.imageCount).flatMap { image in
      let start = image * x.imageSize
      return known.map { x.elements[start + $0] }
    }
    return DoubleTensor(values, shape: shape(ofMeasurements: x.imageCount))
  }

  package func adjoint(_ y: DoubleTensor) -> DoubleTensor {
    check(measurements: y)
    var x = DoubleTensor(shape: shape(ofImages: y.imageCount))
    for image in 0..<y.imageCount {
      let (from, to) = (image * y.imageSize, image * x.imageSize)
      for (index, element) in known.enumerated() { x.elements[to + element] = y.elements[from + index] }
    }
    return x
  }
}
