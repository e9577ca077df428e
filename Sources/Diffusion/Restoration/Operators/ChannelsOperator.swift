/// Some of the channels, in a given order: y is [H, W, channels.count]. Restoring completes the other variables of a
/// field.
package struct ChannelsOperator: MeasurementOperator {
  package let imageShape: [Int]
  package let channels: [Int]

  /// - Throws: `DiffusionError` naming `operator` if there are none, one is given twice or does not exist.
  package init(channels: [Int], imageShape: [Int]) throws(DiffusionError) {
    try requireImageShape(imageShape)
    let count = imageShape[2]
    try require(!channels.isEmpty, "operator", "channels= names no channel")
    for channel in channels {
      try require(
        (0..<count).contains(channel), "operator", "there is no channel \(channel); there are 0 to \(count - 1)")
    }
    try require(Set(channels).count == channels.count, "operator", "channels= names a channel twice")
    self.imageShape = imageShape
    self.channels = channels
  }

  /// The image itself.
  /// - Throws: `DiffusionError` unless this is the shape of images.
  package init(allOf imageShape: [Int]) throws(DiffusionError) {
    try requireImageShape(imageShape)
    try self.init(channels: Array(0..<imageShape[2]), imageShape: imageShape)
  }

  package var measurementShape: [Int] { [imageShape[0], imageShape[1], channels.count] }
  package var rowSquare: Double? { 1 }
  package var channelsOfElements: [Int]? {
    (0..<measurementShape.reduce(1, *)).map { channels[$0 % channels.count] }
  }

  package func apply(_ x: DoubleTensor) -> DoubleTensor {
    check(images: x)
    let values = stride(from: 0, to: x.elements.count, by: imageShape[2]).flatMap { pixel in
      channels.map { x.elements[pixel + $0] }
    }
    return DoubleTensor(values, shape: shape(ofMeasurements: x.imageCount))
  }

  package func adjoint(_ y: DoubleTensor) -> DoubleTensor {
    check(measurements: y)
    var x = DoubleTensor(shape: shape(ofImages: y.imageCount))
    for pixel in 0..<y.elements.count / channels.count {
      for (index, channel) in channels.enumerated() {
        x.elements[pixel * imageShape[2] + channel] = y.elements[pixel * channels.count + index]
      }
    }
    return x
  }
}
