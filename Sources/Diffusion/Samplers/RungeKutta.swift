/// The right-hand side of dy/dt = F(y, t) for several images at once, each with its own time.
/// - Parameter images: the batch indices of the images in y.
typealias RightHandSide = (_ y: DoubleTensor, _ times: [Double], _ images: [Int]) throws -> DoubleTensor

/// An explicit Runge–Kutta method, given by its tableau (Hairer, Nørsett, Wanner: "Solving ordinary differential
/// equations I", section II.1).
package struct RungeKutta: Sendable {
  /// The global error is proportional to this power of the step size.
  package let order: Int
  /// a_ij below the diagonal; the first row is empty.
  let stages: [[Double]]
  /// b_j.
  let weights: [Double]
  /// c_i.
  let nodes: [Double]
  /// b_j minus the weights of the embedded method of one order less, for the error estimate; nil if there is none.
  let errorWeights: [Double]?

  /// Evaluations of F per step, if none is reused in the next step.
  package var stageCount: Int { weights.count }

  package static let euler = RungeKutta(
    order: 1, stages: [[]], weights: [1], nodes: [0], errorWeights: nil)

  /// The trapezoidal rule with an Euler step in place of the implicit one.
  package static let heun = RungeKutta(
    order: 2, stages: [[], [1]], weights: [0.5, 0.5], nodes: [0, 1], errorWeights: nil)

  package static let rungeKutta4 = RungeKutta(
    order: 4, stages: [[], [0.5], [0, 0.5], [0, 0, 1]],
    weights: [1 / 6, 1 / 3, 1 / 3, 1 / 6], nodes: [0, 0.5, 0.5, 1], errorWeights: nil)

  /// The pair of orders 5 and 4 whose last stage is the first of the next step (Dormand, Prince: "A family of embedded
  /// Runge–Kutta formulae", 1980).
  package static let dormandPrince = RungeKutta(
    order: 5,
    stages: [
      [], [1 / 5], [3 / 40, 9 / 40], [44 / 45, -56 / 15, 32 / 9],
      [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
      [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
      [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
    ],
    weights: [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0],
    nodes: [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1],
    errorWeights: [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])

  /// One step of each image.
  /// - Parameters:
  ///   - lengths: the step size of each image; negative ones go back in time.
  ///   - first: F at y, if it is known.
  /// - Returns: y after the step, the estimated errors, and F at the last stage.
  func step(
    _ y: DoubleTensor, at times: [Double], lengths: [Double], images: [Int], first: DoubleTensor? = nil,
    _ rightHandSide: RightHandSide
  ) throws -> (y: DoubleTensor, error: DoubleTensor?, last: DoubleTensor) {
    var slopes: [DoubleTensor] = []
    for (index, row) in stages.enumerated() {
      if index == 0, let first {
        slopes.append(first)
        continue
      }
      let stage = DoubleTensor(y + lengths * sum(row, slopes))
      slopes.append(try rightHandSide(stage, zip(times, lengths).map { $0 + nodes[index] * $1 }, images))
    }
    let error = errorWeights.map { DoubleTensor(lengths * sum($0, slopes)) }
    return (DoubleTensor(y + lengths * sum(weights, slopes)), error, slopes[slopes.count - 1])
  }

  /// Σ weight·slope.
  private func sum(_ weights: [Double], _ slopes: [DoubleTensor]) -> LinearCombination {
    LinearCombination(zip(weights, slopes).filter { $0.0 != 0 })
  }

  /// Solves the equation through given times, which are the same for all images.
  /// - Parameter progress: called after each step with the number of steps done and y there.
  func solve(
    _ y: DoubleTensor, through times: [Double], progress: ((Int, DoubleTensor) -> Void)? = nil,
    _ rightHandSide: RightHandSide
  ) throws -> DoubleTensor {
    let images = Array(0..<y.imageCount)
    var y = y
    for step in 0..<times.count - 1 {
      let length = times[step + 1] - times[step]
      y =
        try self.step(
          y, at: images.map { _ in times[step] }, lengths: images.map { _ in length }, images: images, rightHandSide
        ).y
      progress?(step + 1, y)
    }
    return y
  }
}
