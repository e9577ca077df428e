import Tensors

extension Tensor {
  /// Checks samples before a measure is computed.
  ///
  /// - Parameters:
  ///   - shape: the expected shape; nil where any size is right.
  ///   - name: what the tensor holds, in the plural.
  /// - Throws: `FieldMeasureError` for another shape, and for the first number that is infinite or NaN.
  func check(shape expected: [Int?], name: String) throws(FieldMeasureError) {
    guard shape.count == expected.count, zip(shape, expected).allSatisfy({ $1 == nil || $0 == $1 }) else {
      throw .wrongShape(name: name, found: shape, expected: expected)
    }
    guard !isFinite, let index = (0..<count).first(where: { !self[$0].isFinite }) else { return }
    var (rest, position) = (index, [Int]())
    for size in shape.reversed() {
      position.insert(rest % size, at: 0)
      rest /= size
    }
    throw .notFinite(location: "number \(position) of the \(name)")
  }

  /// The values of a channel of a sample, in the order of points, without those that are missing.
  ///
  /// - Parameter isPresent: for each element of these fields, [N, H, W, C]; nil if all are present.
  func values(ofSample sample: Int, channel: Int, isPresent: [Bool]?) -> [Double] {
    let (size, channels) = (shape.dropFirst().reduce(1, *), shape[shape.count - 1])
    let indices = stride(from: sample * size + channel, to: (sample + 1) * size, by: channels)
    guard let isPresent else { return indices.map { Double(self[$0]) } }
    precondition(isPresent.count == count, "\(isPresent.count) marks for \(count) values")
    return indices.filter { isPresent[$0] }.map { Double(self[$0]) }
  }
}

extension TypedTensor<Double> {
  /// The channels of a field as planes, [C, H, W].
  ///
  /// - Parameter field: [H, W, C].
  init(planesOf field: Tensor) {
    let (points, channels) = (field.shape[0] * field.shape[1], field.shape[2])
    self.init(uninitialised: [channels, field.shape[0], field.shape[1]])
    for point in 0..<points {
      for channel in 0..<channels { self[channel * points + point] = Double(field[point * channels + channel]) }
    }
  }
}
