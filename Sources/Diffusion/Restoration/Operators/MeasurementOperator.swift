/// A linear measurement of images, y = A·x, of each image separately. A new operator provides A and Aᵀ, and the factor
/// c if A·Aᵀ = c·I.
package protocol MeasurementOperator: Sendable {
  /// [H, W, C] of the images.
  var imageShape: [Int] { get }
  /// The shape of one image's measurement.
  var measurementShape: [Int] { get }
  /// c if A·Aᵀ = c·I: the rows of A are orthogonal and equally long. nil for other operators.
  var rowSquare: Double? { get }
  /// For each element of one image's measurement the channel that it is of, if each is of one: an image with the same value
  /// everywhere in a channel then has that value as its measurement, so a channel's units and offset are those of its
  /// measurement. nil for operators that combine channels.
  var channelsOfElements: [Int]? { get }

  /// A·x.
  /// - Parameter x: [N, H, W, C].
  /// - Returns: [N] + `measurementShape`.
  func apply(_ x: DoubleTensor) -> DoubleTensor
  /// Aᵀ·y.
  /// - Parameter y: [N] + `measurementShape`.
  /// - Returns: [N, H, W, C].
  func adjoint(_ y: DoubleTensor) -> DoubleTensor
}

extension MeasurementOperator {
  /// That of measurements whose last axis is the channels.
  package var channelsOfElements: [Int]? { (0..<measurementShape.reduce(1, *)).map { $0 % imageShape[2] } }

  /// (A·Aᵀ + diag(shifts))⁻¹·y, in closed form or by conjugate gradients.
  /// - Parameter shifts: shaped like y, not negative.
  /// - Throws: `DiffusionError` naming `noise` if the equation cannot be solved: a shift is too small for an operator
  ///   without orthogonal rows.
  package func solve(_ y: DoubleTensor, shifts: DoubleTensor) throws(DiffusionError) -> DoubleTensor {
    if let rowSquare { return y.combined(with: shifts) { $0 / (rowSquare + $1) } }
    let solution = ConjugateGradients().solve(y) { v in
      DoubleTensor(apply(adjoint(v)) + shifts.combined(with: v) { $0 * $1 })
    }
    try require(
      solution.isExact, "noise",
      "the measurement does not determine the image well enough for so little noise; give more")
    return solution.v
  }

  /// A⁺·y = Aᵀ·(A·Aᵀ)⁻¹·y, the smallest image with this measurement.
  /// - Throws: `DiffusionError` naming `operator` if the rows of A are not orthogonal: rounding errors of y would then
  ///   be amplified without bounds.
  package func pseudoInverse(_ y: DoubleTensor) throws(DiffusionError) -> DoubleTensor {
    DoubleTensor(adjoint(y) / (try invertibleRowSquare()))
  }

  /// `rowSquare`, of an operator that has a pseudo-inverse.
  /// - Throws: as `pseudoInverse`.
  @discardableResult
  func invertibleRowSquare() throws(DiffusionError) -> Double {
    if let rowSquare { return rowSquare }
    throw DiffusionError(
      key: "operator",
      problem: "this operator leaves traces of details that are too small to be inverted without noise; "
        + "use method pigdm with noise above 0, or dps")
  }

  /// The shape of measurements of several images.
  func shape(ofMeasurements count: Int) -> [Int] { [count] + measurementShape }
  /// The shape of several images.
  func shape(ofImages count: Int) -> [Int] { [count] + imageShape }

  func check(images x: DoubleTensor) {
    precondition(x.shape == shape(ofImages: x.imageCount), "images \(x.shape), not [N] + \(imageShape)")
  }

  func check(measurements y: DoubleTensor) {
    precondition(
      y.shape == shape(ofMeasurements: y.imageCount), "measurements \(y.shape), not [N] + \(measurementShape)")
  }
}

/// - Throws: `DiffusionError` naming `operator` unless this is [H, W, C].
func requireImageShape(_ shape: [Int]) throws(DiffusionError) {
  try require(
    shape.count == 3 && shape.allSatisfy { $0 > 0 }, "operator", "images must be [H, W, C], not \(shape)")
}
