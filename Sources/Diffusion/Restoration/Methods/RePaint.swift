/// Ancestral sampling that replaces the known part of x after each step by the measurement with the noise of that time,
/// and repeatedly goes back a few steps by adding noise, so that the unknown part comes to agree with the known one
/// (Lugmayr, Danelljan, Romero, Yu, Timofte, Van Gool: "RePaint: inpainting using denoising diffusion probabilistic
/// models", arXiv:2201.09865, algorithm 1 and section 4.2).
///
/// Bias for Gaussian data in 100 steps with ten resamplings, which take 1,000 evaluations: mean 0.04 and covariance 0.06
/// with jumps of one step, 0.07 and 0.14 with jumps of ten. Without resampling, in 250 steps: 0.19 and 0.28.
package struct RePaint: RestorationMethod {
  /// The steps that are visited, ascending.
  package let visited: [Int]
  package let variance: ReverseVariance
  package let clipsOriginal: Bool
  /// j, the number of steps that a jump goes back.
  package let jumpLength: Int
  /// r, how often each stretch of j steps is taken.
  package let resamplings: Int
  private let respaced: DiscreteProcess

  /// - Throws: `DiffusionError` naming `jump_length` or `resamplings`.
  package init(
    process: DiscreteProcess, visiting visited: [Int], variance: ReverseVariance, jumpLength: Int = 10,
    resamplings: Int = 10, clipsOriginal: Bool = true
  ) throws(DiffusionError) {
    try require(
      (1...visited.count).contains(jumpLength), "jump_length",
      "\(jumpLength) must be from 1 to the number of steps, \(visited.count)")
    try require((1...1000).contains(resamplings), "resamplings", "\(resamplings) must be from 1 to 1000")
    self.visited = visited
    self.variance = variance
    self.jumpLength = jumpLength
    self.resamplings = resamplings
    self.clipsOriginal = clipsOriginal
    respaced = process.respaced(keeping: visited)
  }

  package var stepCount: Int? { moves.count }

  /// A move from one noise level to the next lower or higher one.
  package enum Move: Equatable {
    /// Undoes step `index`.
    case denoise(index: Int)
    /// Takes step `index` again.
    case addNoise(index: Int)
  }

  /// From noise to image. Jumps start where 1, 1 + j, 1 + 2j, … steps are left, but not from the first j.
  package var moves: [Move] {
    var moves: [Move] = []
    var jumps = [Int](repeating: resamplings - 1, count: visited.count)
    var index = visited.count - 1
    while index >= 0 {
      moves.append(.denoise(index: index))
      index -= 1
      guard index >= 0, index % jumpLength == 0, index < visited.count - jumpLength, jumps[index] > 0 else { continue }
      jumps[index] -= 1
      for _ in 0..<jumpLength {
        index += 1
        moves.append(.addNoise(index: index))
      }
    }
    return moves
  }

  package func check(_ measurement: Measurement) throws(DiffusionError) {
    try measurement.requireKnownPart(for: .repaint)
  }

  package func restore(
    _ measurement: Measurement, from latents: DoubleTensor, denoiser: some DifferentiableDenoiser,
    noise: SamplerNoise, progress: ((SamplerStep) -> Void)? = nil
  ) throws -> Samples {
    try check(measurement)
    let known = try KnownPart(measurement)
    var evaluator = Evaluator(denoiser)
    var x = DoubleTensor(respaced.priorSigma * latents)
    for (number, move) in moves.enumerated() {
      let z = noise.draw(like: x, step: number)
      let marginal: Marginal
      switch move {
      case .denoise(let index):
        let step = AncestralStep(respaced, index: index, variance: variance, clipsOriginal: clipsOriginal)
        let estimate = try evaluator.estimate(x, at: Double(visited[index]))
        marginal = step.earlier
        x = step(x, estimate, adding: index == 0 ? nil : z)
        x = try known.replaced(
          in: x, by: marginal, index == 0 ? nil : noise.draw(like: x, step: number, detail: 1))
      case .addNoise(let index):
        let transition = respaced.transition(to: index)
        marginal = transition.later
        x = DoubleTensor(transition.ratio * x + transition.variance.squareRoot() * z)
      }
      progress?(SamplerStep(number + 1, x, marginal))
    }
    return Samples(images: x, evaluations: evaluator.evaluations)
  }
}
