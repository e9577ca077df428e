/// Measurements of images, y = A·x_0 + s·n with standard normal n. The noise of an element is that of all others, or its
/// own: channels of a field with different units have different noise once they are normalised.
package struct Measurement: Sendable {
  /// A.
  package let forward: any MeasurementOperator
  /// y, [N] + `forward.measurementShape`.
  package let values: DoubleTensor
  /// s², shaped like y.
  package let variances: DoubleTensor

  /// - Parameter noise: s, the same for all elements.
  /// - Throws: `DiffusionError` naming `measured` if the values have another shape or are not finite, or `noise` if it
  ///   is negative.
  package init(
    _ values: DoubleTensor, of forward: any MeasurementOperator, noise: Double = 0
  ) throws(DiffusionError) {
    try self.init(
      values, of: forward, noise: [Double](repeating: noise, count: forward.measurementShape.reduce(1, *)))
  }

  /// - Parameter noise: s of each element of `forward.measurementShape`, the same for all measurements.
  /// - Throws: `DiffusionError` naming `measured` if the values have another shape or are not finite, or `noise` if one
  ///   is negative.
  package init(
    _ values: DoubleTensor, of forward: any MeasurementOperator, noise: [Double]
  ) throws(DiffusionError) {
    precondition(noise.count == forward.measurementShape.reduce(1, *), "each element has noise")
    try require(
      values.shape.dropFirst() == forward.measurementShape[...], "measured",
      "measurements of \(forward.imageShape) by this operator have shape \(forward.measurementShape), "
        + "not \(Array(values.shape.dropFirst()))")
    try require(
      values.elements.allSatisfy(\.isFinite), "measured",
      "\(values.elements.count { !$0.isFinite }) values are missing or infinite; mark them as unknown in a mask")
    if let invalid = noise.first(where: { !($0 >= 0 && $0.isFinite) }) {
      throw DiffusionError(key: "noise", problem: "\(invalid) must not be negative")
    }
    self.forward = forward
    self.values = values
    let squares = noise.map { $0 * $0 }
    variances = DoubleTensor(
      [[Double]](repeating: squares, count: values.imageCount).flatMap(\.self), shape: values.shape)
  }

  private init(unchecked values: DoubleTensor, _ forward: any MeasurementOperator, _ variances: DoubleTensor) {
    (self.values, self.forward, self.variances) = (values, forward, variances)
  }

  package var count: Int { values.imageCount }

  /// Some of the measurements, or some several times.
  package func rows(_ indices: [Int]) -> Measurement {
    Measurement(unchecked: values.images(indices), forward, variances.images(indices))
  }

  /// y − A·x.
  package func residual(_ x: DoubleTensor) -> DoubleTensor { DoubleTensor(values - forward.apply(x)) }

  /// Whether some elements have no noise.
  var hasExactElements: Bool { variances.elements.contains(0) }

  /// The image that is changed as little as possible so that A·x = y in all elements without noise, x + A⁺·(y − A·x).
  func met(by x: DoubleTensor) throws(DiffusionError) -> DoubleTensor {
    let exact = residual(x).combined(with: variances) { $1 == 0 ? $0 : 0 }
    return DoubleTensor(x + (try forward.pseudoInverse(exact)))
  }

  /// - Throws: `DiffusionError` naming `noise` unless s = 0, or `operator` unless A has a pseudo-inverse: otherwise there
  ///   is no `KnownPart`.
  func requireKnownPart(for method: RestorationName) throws(DiffusionError) {
    try require(
      variances.elements.allSatisfy { $0 == 0 }, "noise",
      "method \(method.rawValue) takes measurements as exact; give --noise 0, or use dps or pigdm")
    try forward.invertibleRowSquare()
  }
}

/// A method that draws images which fit measurements, with a denoiser that knows nothing of them.
///
/// In general none of these methods draws from the posterior distribution. Each docstring states the bias for Gaussian
/// data, whose posterior is known, measured with the optimal denoiser by `RestorationPosteriorTests`: images of 4 x 4
/// correlated pixels, 4 of them known. The error of the mean is its length over the root of the trace of the posterior's
/// covariance, that of the covariance is relative to its norm. For draws from the prior they are 0.6 to 0.9 and 1.6.
package protocol RestorationMethod: Sendable {
  /// - Throws: `DiffusionError` naming `operator` or `noise` if the method cannot use the measurement.
  func check(_ measurement: Measurement) throws(DiffusionError)
  /// Draws an image for each measurement. An image does not depend on the rest of its batch, provided that the denoiser
  /// treats each image separately.
  ///
  /// - Parameters:
  ///   - latents: standard normal numbers, [measurement.count, H, W, C].
  ///   - denoiser: must not clip its estimates; methods clip where they can.
  ///   - noise: the noise that the method adds.
  ///   - progress: called after each step.
  /// - Throws: the denoiser's errors, and `DiffusionError` naming `operator` or `noise` if the method cannot use the
  ///   measurement.
  func restore(
    _ measurement: Measurement, from latents: DoubleTensor, denoiser: some DifferentiableDenoiser,
    noise: SamplerNoise, progress: ((SamplerStep) -> Void)?
  ) throws -> Samples
  /// The number of steps reported to `progress`; nil if it depends on the images.
  var stepCount: Int? { get }
}

extension RestorationMethod {
  /// Draws an ensemble for each measurement: member m of measurement i depends on the seed, `firstImage` + i and m alone.
  ///
  /// - Parameters:
  ///   - measurement: N measurements.
  ///   - members: the members to draw, below `DrawNumber.memberLimit`; all pass through the network together with those of
  ///     the other measurements.
  ///   - firstImage: the index of the first measurement among all that are restored with this seed.
  /// - Returns: images [N·members.count, H, W, C]: all members of the first measurement, then those of the second.
  /// - Throws: as `restore(_:from:denoiser:noise:progress:)`, and `DiffusionError` naming `members`.
  package func restore(
    _ measurement: Measurement, members: Range<Int>, firstImage: Int = 0, seed: UInt64,
    denoiser: some DifferentiableDenoiser, progress: ((SamplerStep) -> Void)? = nil
  ) throws -> Samples {
    try require(
      !members.isEmpty && members.lowerBound >= 0 && members.upperBound <= DrawNumber.memberLimit, "members",
      "give 1 to \(DrawNumber.memberLimit) members")
    let rows = (0..<measurement.count).flatMap { row in members.map { (row, $0) } }
    let draws = rows.map { DrawNumber(image: firstImage + $0, member: $1) }
    let latents = Latents.draw(shape: measurement.forward.shape(ofImages: rows.count), seed: seed, draws: draws)
    return try restore(
      measurement.rows(rows.map(\.0)), from: DoubleTensor(latents), denoiser: denoiser,
      noise: SamplerNoise(seed: seed, draws: draws), progress: progress)
  }
}

extension Evaluator where D: DifferentiableDenoiser {
  mutating func estimateWithPullback(
    _ x: DoubleTensor, at time: Double
  ) throws -> (estimate: Estimate, pullback: Estimate.Pullback) {
    countEvaluation()
    return try denoiser.estimateWithPullback(
      x, at: Array(repeating: time, count: x.imageCount), images: Array(0..<x.imageCount))
  }
}
