/// What a network says of each of N images: a row of D numbers, its features or its logits.
public struct Features: Sendable, Equatable {
  /// N.
  public let count: Int
  /// D.
  public let dimension: Int
  /// [N, D], row-major.
  public let values: [Float]

  /// - Parameter values: [N, D], row-major, of as many rows as there are.
  public init(_ values: [Float], dimension: Int) {
    precondition(dimension > 0, "features have at least one number")
    precondition(values.count.isMultiple(of: dimension), "\(values.count) numbers are no rows of \(dimension)")
    self.count = values.count / dimension
    self.dimension = dimension
    self.values = values
  }

  /// Image `index`'s numbers.
  public subscript(index: Int) -> ArraySlice<Float> { values[index * dimension..<(index + 1) * dimension] }

  /// The images of some places, in their order.
  public subscript(indices: some Collection<Int>) -> Features {
    var rows: [Float] = []
    rows.reserveCapacity(indices.count * dimension)
    for index in indices { rows += self[index] }
    return Features(rows, dimension: dimension)
  }

  /// Calls `body` with the address of the rows, valid until it returns.
  func withPointer<Result>(_ body: (UnsafePointer<Float>) -> Result) -> Result {
    values.withUnsafeBufferPointer { values in
      // An empty array need not have an address; nothing is read from this one.
      body(values.baseAddress ?? UnsafePointer(bitPattern: MemoryLayout<Float>.alignment)!)
    }
  }

  /// - Throws: `EvaluationError` for the first number that is infinite or NaN.
  func checkFinite() throws(EvaluationError) {
    // The sum of absolute values is finite only if all of them are, in double precision; adding is quicker than asking.
    for image in 0..<count where !self[image].reduce(0.0, { $0 + Double($1).magnitude }).isFinite {
      for (index, value) in self[image].enumerated() where !value.isFinite {
        throw EvaluationError.notFinite(location: "number \(index) of image \(image)")
      }
    }
  }
}
