/// Denoising diffusion implicit models (Song, Meng, Ermon, arXiv:2010.02502, equations 12 and 16): the marginals of
/// training with an adjustable amount of fresh noise; without noise, images are a function of the latents.
package struct DDIMSampler: Sampler {
  /// The steps that are visited, ascending.
  package let visited: [Int]
  /// η: 0 adds no noise, 1 adds as much as ancestral sampling with the small variance.
  package let eta: Double
  package let clipsOriginal: Bool
  private let respaced: DiscreteProcess

  /// - Throws: `DiffusionError` unless `eta` is from 0 to 1.
  package init(
    process: DiscreteProcess, visiting visited: [Int], eta: Double = 0, clipsOriginal: Bool = true
  ) throws(DiffusionError) {
    try require((0...1).contains(eta), "eta", "\(eta) must be from 0 to 1")
    self.visited = visited
    self.eta = eta
    self.clipsOriginal = clipsOriginal
    respaced = process.respaced(keeping: visited)
  }

  package var stepCount: Int? { visited.count }

  package func sample(
    from latents: DoubleTensor, denoiser: some Denoiser, noise: SamplerNoise, progress: ((SamplerStep) -> Void)? = nil
  ) throws -> Samples {
    var evaluator = Evaluator(denoiser)
    var x = DoubleTensor(respaced.priorSigma * latents)
    for (done, index) in visited.indices.reversed().enumerated() {
      let estimate = try evaluator.estimate(x, at: Double(visited[index]))
      let original = estimate.original(clipped: clipsOriginal)
      let transition = respaced.transition(to: index)
      let before = transition.earlier
      let added = eta * transition.posterior.variance.squareRoot()
      let kept = max(0, before.sigma * before.sigma - added * added).squareRoot()
      var next = before.signal * original + kept * estimate.noise
      if added > 0 { next = next + added * noise.draw(like: x, step: visited[index]) }
      x = DoubleTensor(next)
      progress?(SamplerStep(done + 1, x, before))
    }
    return Samples(images: x, evaluations: evaluator.evaluations)
  }
}
