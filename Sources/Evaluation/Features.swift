import Tensors

/// The output of a network for each of N images: a row of D numbers, its features or its logits.
package struct Features: Sendable, Equatable {
  /// [N, D]; not to be written.
  package let tensor: Tensor

  /// N.
  package var count: Int { tensor.shape[0] }
  /// D.
  package var dimension: Int { tensor.shape[1] }

  /// - Parameter tensor: [N, D], not to be written from now on.
  package init(_ tensor: Tensor) {
    precondition(tensor.shape.count == 2 && tensor.shape[1] > 0, "features are [N, D], not \(tensor.shape)")
    self.tensor = tensor
  }

  /// - Parameter values: [N, D], row-major.
  package init(_ values: [Float], dimension: Int) {
    precondition(dimension > 0, "features have at least one number")
    precondition(values.count.isMultiple(of: dimension), "\(values.count) numbers are no rows of \(dimension)")
    self.init(Tensor(values, shape: [values.count / dimension, dimension]))
  }

  /// All rows, one after the other.
  package var values: [Float] { tensor.elements }

  /// The numbers of image `index`.
  package subscript(index: Int) -> [Float] { tensor[index..<index + 1].elements }

  /// The images with given indices, in their order.
  package subscript(indices: some Collection<Int>) -> Features {
    let rows = Tensor(uninitialised: [indices.count, dimension])
    for (row, index) in indices.enumerated() { rows[row..<row + 1].copy(tensor[index..<index + 1]) }
    return Features(rows)
  }

  package static func == (first: Features, second: Features) -> Bool {
    first.dimension == second.dimension && first.values == second.values
  }

  /// Checks the two sides of a measure.
  /// - Throws: `EvaluationError` if their dimensions differ, and as the check of one side.
  static func check(
    _ first: Features, _ second: Features, minimum: Int, measure: String
  ) throws(EvaluationError) {
    guard first.dimension == second.dimension else { throw .dimensionsDiffer(first.dimension, second.dimension) }
    for features in [first, second] { try features.check(minimum: minimum, measure: measure) }
  }

  /// - Throws: `EvaluationError` if there are too few images for a measure, or a number is infinite or NaN.
  func check(minimum: Int, measure: String) throws(EvaluationError) {
    guard count >= minimum else { throw .tooFewImages(count, minimum: minimum, measure: measure) }
    try checkFinite()
  }

  /// - Throws: `EvaluationError` for the first number that is infinite or NaN.
  func checkFinite() throws(EvaluationError) {
    guard !tensor.isFinite, let index = (0..<tensor.count).first(where: { !tensor[$0].isFinite }) else { return }
    throw EvaluationError.notFinite(location: "number \(index % dimension) of image \(index / dimension)")
  }
}
