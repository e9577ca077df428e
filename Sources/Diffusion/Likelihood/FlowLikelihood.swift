import RealModule
import Tensors

/// The exact log-density of images under the probability-flow equation, up to the estimate of a trace (Song et al.,
/// arXiv:2011.13456, section 4.3 and appendix D.2): log p(x_0) = log p(x_T) + ∫ ∇·v dt along the flow, with
/// ∇·v ≈ zᵀ·(∂v/∂x)·z for random z (Skilling 1989, Hutchinson 1990).
package struct FlowLikelihood {
  /// The distribution of z, with mean 0 and variance 1.
  package enum Probe: String, Sendable, CaseIterable {
    /// −1 or 1 with equal probability, which has the smallest variance.
    case rademacher
    case gaussian
  }

  package let process: any ForwardProcess
  package let probe: Probe
  /// The solver's tolerance, relative and absolute.
  package let tolerance: Double
  package let seed: UInt64

  /// - Throws: `DiffusionError` unless the tolerance is positive.
  package init(
    process: any ForwardProcess, probe: Probe = .rademacher,
    tolerance: Double = ProbabilityFlowSampler.defaultTolerance, seed: UInt64 = 0
  ) throws(DiffusionError) {
    try requirePositive(tolerance, "tolerance")
    self.process = process
    self.probe = probe
    self.tolerance = tolerance
    self.seed = seed
  }

  package struct Result: Sendable {
    /// log p(x_0) of each image, in nats.
    package let logDensities: [Double]
    /// The end point of the flow for each image, divided by the prior's standard deviation: standard normal if the
    /// model is right.
    package let latents: DoubleTensor
    package let evaluations: Int
  }

  /// - Parameters:
  ///   - images: x_0, as at the process's earliest time, [N, …].
  ///   - firstImage: the index of the first image among all images whose likelihoods are computed with this seed.
  ///   - progress: called with the fraction completed by the slowest image.
  /// - Throws: the denoiser's errors, and `DiffusionError` if the equation cannot be solved.
  package func logDensities(
    of images: DoubleTensor, denoiser: some DifferentiableDenoiser, firstImage: Int = 0,
    progress: ((Double) -> Void)? = nil
  ) throws -> Result {
    let (count, size) = (images.imageCount, images.imageSize)
    let probes = drawProbes(like: images, firstImage: firstImage)
    // The integral of the divergence is solved as one more element of every image.
    let start = pack(images, [Double](repeating: 0, count: count))
    let solver = AdaptiveSolver(relative: tolerance, absolute: tolerance)
    let solution = try solver.solve(
      start, from: process.times.lowerBound, to: process.times.upperBound, progress: progress
    ) {
      state, times, rows in
      let (x, _) = unpack(state, shape: [rows.count] + images.shape.dropFirst())
      let probe = probes.images(rows)
      let (estimate, pullback) = try denoiser.estimateWithPullback(x, at: times, images: rows)
      let divergences = zip(times, try pullback(.noise, probe).imageProducts(probe)).map { time, trace in
        Double(size) * process.drift(at: time)
          + process.squaredDiffusion(at: time) / (2 * process.marginal(at: time).sigma) * trace
      }
      return pack(process.flow(x, estimate, at: times), divergences)
    }
    let (end, integrals) = unpack(solution.y, shape: images.shape)
    let sigma = process.priorSigma
    let latents = DoubleTensor(end / sigma)
    let logDensities = zip(integrals, latents.imageProducts(latents)).map { integral, square in
      integral - square / 2 - Double(size) * (.log(2 * .pi) / 2 + .log(sigma))
    }
    return Result(logDensities: logDensities, latents: latents, evaluations: solution.evaluations.max() ?? 0)
  }

  /// −log₂ of the probability of an image whose values were whole numbers from 0 to 255, made continuous by uniform
  /// noise and scaled to [−1, 1], per dimension. The density is converted to a probability per interval of 1/256 of the
  /// range.
  package static func bitsPerDimension(logDensity: Double, dimensions: Int) -> Double {
    -logDensity / (Double(dimensions) * .log(2)) + 7
  }

  private func drawProbes(like images: DoubleTensor, firstImage: Int) -> DoubleTensor {
    let normals = DoubleTensor(
      normalNoise(shape: images.shape, seed: seed, purpose: .traceProbe, firstImage: firstImage))
    switch probe {
    case .gaussian: return normals
    case .rademacher: return DoubleTensor(normals.elements.map { $0 < 0 ? -1 : 1 }, shape: normals.shape)
    }
  }

  private func pack(_ x: DoubleTensor, _ extra: [Double]) -> DoubleTensor {
    DoubleTensor(
      (0..<x.imageCount).flatMap { x.elements[x.range(ofImage: $0)] + [extra[$0]] },
      shape: [x.imageCount, x.imageSize + 1])
  }

  private func unpack(_ state: DoubleTensor, shape: [Int]) -> (x: DoubleTensor, extra: [Double]) {
    let size = state.imageSize - 1
    let starts = (0..<state.imageCount).map { $0 * (size + 1) }
    return (
      DoubleTensor(starts.flatMap { state.elements[$0..<$0 + size] }, shape: shape),
      starts.map { state.elements[$0 + size] }
    )
  }
}
