/// The output of a network for each of N images: a row of D numbers, its features or its logits.
public struct Features: Sendable, Equatable {
  /// N.
  public let count: Int
  /// D.
  public let dimension: Int
  /// [N, D], row-major.
  public let values: [Float]

  /// - Parameter values: [N, D], row-major.
  public init(_ values: [Float], dimension: Int) {
    precondition(dimension > 0, "features must have at least one number")
    precondition(values.count.isMultiple(of: dimension), "\(values.count) numbers do not form rows of \(dimension)")
    self.count = values.count / dimension
    self.dimension = dimension
    self.values = values
  }

  /// The numbers of image `index`.
  public subscript(index: Int) -> ArraySlice<Float> { values[index * dimension..<(index + 1) * dimension] }

  /// The images with given indices, in their order.
  public subscript(indices: some Collection<Int>) -> Features {
    var rows: [Float] = []
    rows.reserveCapacity(indices.count * dimension)
    for index in indices { rows += self[index] }
    return Features(rows, dimension: dimension)
  }

  /// Calls `body` with the address of the rows, valid until it returns.
  func withPointer<Result>(_ body: (UnsafePointer<Float>) -> Result) -> Result {
    values.withUnsafeBufferPointer { values in
      // The address of an empty array may be nil; nothing is read from this one.
      body(values.baseAddress ?? UnsafePointer(bitPattern: MemoryLayout<Float>.alignment)!)
    }
  }

  /// - Throws: `EvaluationError` for the first number that is infinite or NaN.
  func checkFinite() throws(EvaluationError) {
    // In double precision, the sum of absolute values is finite only if all of them are; adding is faster than checking
    // each.
    for image in 0..<count where !self[image].reduce(0.0, { $0 + Double($1).magnitude }).isFinite {
      for (index, value) in self[image].enumerated() where !value.isFinite {
        throw EvaluationError.notFinite(location: "number \(index) of image \(image)")
      }
    }
  }
}
