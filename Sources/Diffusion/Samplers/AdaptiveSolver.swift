import RealModule

/// Solves a differential equation with adaptive steps. Each image chooses its own step sizes, so its result does not
/// depend on the rest of the batch (Hairer, Nørsett, Wanner: "Solving ordinary differential equations I", section
/// II.4).
struct AdaptiveSolver {
  /// The error tolerance per step, `absolute` + `relative`·|y|, as a root mean square over an image's elements.
  let relative: Double
  let absolute: Double

  private static let method = RungeKutta.dormandPrince
  /// If an image needs more steps than this, the equation is considered unsolvable.
  private static let maximumSteps = 10_000

  /// - Parameter progress: called with the fraction completed by the slowest image.
  /// - Returns: y at `end`, and the number of evaluations of F for each image.
  /// - Throws: `DiffusionError` if an image needs more than `maximumSteps`, or is not finite.
  func solve(
    _ y: DoubleTensor, from start: Double, to end: Double, progress: ((Double) -> Void)? = nil,
    _ rightHandSide: RightHandSide
  ) throws -> (y: DoubleTensor, evaluations: [Int]) {
    let count = y.imageCount
    var y = y
    var times = [Double](repeating: start, count: count)
    var (slopes, lengths) = try startingSteps(y, from: start, to: end, rightHandSide)
    // The starting steps took two.
    var evaluations = [Int](repeating: 2, count: count)
    var rounds = 0
    while true {
      let active = (0..<count).filter { times[$0] != end }
      if active.isEmpty { return (y, evaluations) }
      rounds += 1
      try require(
        rounds <= Self.maximumSteps && lengths.allSatisfy(\.isFinite), "tolerance",
        "the equation was not solved within \(Self.maximumSteps) steps; use a larger tolerance, or check the model")
      for image in active where abs(lengths[image]) >= abs(end - times[image]) { lengths[image] = end - times[image] }
      let (before, length) = (y.images(active), active.map { lengths[$0] })
      let result = try Self.method.step(
        before, at: active.map { times[$0] }, lengths: length, images: active, first: slopes.images(active),
        rightHandSide)
      for (row, image) in active.enumerated() {
        evaluations[image] += Self.method.stageCount - 1
        let error = norm(result.error!, before, result.y, row: row)
        if error <= 1 {
          times[image] = lengths[image] == end - times[image] ? end : times[image] + lengths[image]
          y.replaceImages([image], with: result.y.images([row]))
          slopes.replaceImages([image], with: result.last.images([row]))
        }
        // A step is at most doubled, since the error of a step that grew faster is often underestimated. NaN makes the
        // step NaN, which is reported above.
        let factor = error == 0 ? 2 : 0.9 * .pow(error, -1 / Double(Self.method.order))
        lengths[image] *= error.isNaN ? .nan : max(0.2, min(2, factor))
      }
      progress?((0..<count).map { (times[$0] - start) / (end - start) }.min() ?? 1)
    }
  }

  private func norm(_ error: DoubleTensor, _ before: DoubleTensor, _ after: DoubleTensor, row: Int) -> Double {
    let range = error.range(ofImage: row)
    let sum = range.reduce(0.0) { sum, index in
      let allowed = absolute + relative * max(abs(before.elements[index]), abs(after.elements[index]))
      let share = error.elements[index] / allowed
      return sum + share * share
    }
    return (sum / Double(range.count)).squareRoot()
  }

  /// F at the start, and an initial step size for each image whose error is likely to be small (ibid., "starting step
  /// size").
  private func startingSteps(
    _ y: DoubleTensor, from start: Double, to end: Double, _ rightHandSide: RightHandSide
  ) throws -> (slopes: DoubleTensor, lengths: [Double]) {
    let images = Array(0..<y.imageCount)
    let slopes = try rightHandSide(y, images.map { _ in start }, images)
    let direction = end > start ? 1.0 : -1.0
    let first = images.map { image in
      let (size, slope) = (norm(y, y, y, row: image), norm(slopes, y, y, row: image))
      return min(size < 1e-5 || slope < 1e-5 ? 1e-6 : 0.01 * size / slope, abs(end - start))
    }
    let steps = first.map { $0 * direction }
    let next = try rightHandSide(DoubleTensor(y + steps * slopes), steps.map { start + $0 }, images)
    let change = DoubleTensor(next - slopes)
    let lengths = images.map { image in
      let curvature = norm(change, y, y, row: image) / first[image]
      let largest = max(norm(slopes, y, y, row: image), curvature)
      let second =
        largest <= 1e-15 ? max(1e-6, first[image] * 1e-3) : .pow(0.01 / largest, 1 / Double(Self.method.order))
      return min(100 * first[image], second, abs(end - start)) * direction
    }
    return (slopes, lengths)
  }
}
