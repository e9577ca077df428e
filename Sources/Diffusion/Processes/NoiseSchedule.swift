import RealModule

/// How much noise each of the T steps adds: β_t, and derived quantities, in double precision.
///
/// Steps are counted from 0, as programs do: β[0] is the paper's β₁, and t = T − 1 is the noisiest step.
package struct NoiseSchedule: Sendable, Equatable {
  /// β_t, the variance that step t adds; each in (0, 1), except 1 at the last step of a schedule with zero terminal
  /// SNR.
  package let betas: [Double]
  /// ᾱ_t = Π (1 − β_s) over s ≤ t, the fraction of the image's variance that remains after step t.
  package let cumulativeAlphas: [Double]
}

extension NoiseSchedule {
  /// A schedule with given variances.
  /// - Throws: `DiffusionError` if there are none or one lies outside (0, 1).
  package init(betas: [Double]) throws(DiffusionError) {
    try require(!betas.isEmpty, "steps", "a noise schedule needs at least 1 step")
    for (step, beta) in betas.enumerated() {
      try require(
        beta > 0 && beta < 1, "betas", "the variance of step \(step) is \(beta); it must lie between 0 and 1")
    }
    var product = 1.0
    self.init(
      betas: betas,
      cumulativeAlphas: betas.map { beta in
        product *= 1 - beta
        return product
      })
  }

  /// A schedule whose last step leaves nothing of the image: √ᾱ is shifted so that it ends at 0, and scaled so that it
  /// begins as before (Lin, Liu, Li, Yang: "Common diffusion noise schedules and sample steps are flawed",
  /// arXiv:2305.08891, algorithm 1).
  /// - Throws: `DiffusionError` if there is only one step, or the noise does not grow.
  package func withZeroTerminalSNR() throws(DiffusionError) -> NoiseSchedule {
    let roots = cumulativeAlphas.map { $0.squareRoot() }
    guard let first = roots.first, let last = roots.last, first > last else {
      throw DiffusionError(key: "steps", problem: "a schedule with zero terminal SNR needs at least 2 steps")
    }
    let cumulativeAlphas = roots.map { root in
      let rescaled = (root - last) * (first / (first - last))
      return rescaled * rescaled
    }
    return NoiseSchedule(
      betas: cumulativeAlphas.indices.map { step in
        1 - cumulativeAlphas[step] / (step == 0 ? 1 : cumulativeAlphas[step - 1])
      }, cumulativeAlphas: cumulativeAlphas)
  }

  /// β grows in equal increments from `first` to `last` (Ho, Jain, Abbeel: "Denoising diffusion probabilistic models",
  /// NeurIPS 2020, section 4; its values are the defaults).
  /// - Throws: `DiffusionError` naming `steps`, `first` or `last` if it is out of range.
  package static func linear(
    steps: Int = 1000, first: Double = 1e-4, last: Double = 0.02
  ) throws(DiffusionError) -> NoiseSchedule {
    try check(steps: steps, first: first, last: last)
    return try NoiseSchedule(betas: spread(steps, first, last))
  }

  /// √β grows in equal increments from √`first` to √`last`, which makes β a quadratic function of the step: as in the
  /// published code of Ho et al. 2020 and of Song, Meng, Ermon 2020 ("quad"), but not in their papers.
  /// - Throws: `DiffusionError` naming `steps`, `first` or `last` if it is out of range.
  package static func quadratic(
    steps: Int = 1000, first: Double = 1e-4, last: Double = 0.02
  ) throws(DiffusionError) -> NoiseSchedule {
    try check(steps: steps, first: first, last: last)
    return try NoiseSchedule(
      betas: spread(steps, first.squareRoot(), last.squareRoot()).map { $0 * $0 })
  }

  /// β grows from `first` to `last` as the logistic function does from −6 to 6, as in GeoDiff (Xu et al.,
  /// arXiv:2203.02923). Jabri, Fleet, Chen ("Scalable adaptive computation for iterative generation", arXiv:2212.11972)
  /// use the same function for ᾱ.
  /// - Throws: `DiffusionError` naming `steps`, `first` or `last` if it is out of range.
  package static func sigmoid(
    steps: Int = 1000, first: Double = 1e-4, last: Double = 0.02
  ) throws(DiffusionError) -> NoiseSchedule {
    try check(steps: steps, first: first, last: last)
    return try NoiseSchedule(betas: spread(steps, -6, 6).map { first + (last - first) / (1 + .exp(-$0)) })
  }

  /// ᾱ falls like a squared cosine: β_t = 1 − ᾱ((t + 1)/T) / ᾱ(t/T), at most `maximum`, with ᾱ(u) = cos²(π/2·(u + s)/(1 + s))
  /// (Nichol, Dhariwal: "Improved denoising diffusion probabilistic models", arXiv:2102.09672, equation 17).
  /// - Parameter offset: s, which keeps the first steps from being too small.
  /// - Throws: `DiffusionError` naming the argument that is out of range.
  package static func cosine(
    steps: Int = 1000, offset: Double = 0.008, maximum: Double = 0.999
  ) throws(DiffusionError) -> NoiseSchedule {
    try check(steps: steps)
    try require(offset >= 0 && offset.isFinite, "offset", "s = \(offset) must not be negative")
    try require(
      maximum > 0 && maximum < 1, "maximum", "the largest variance, \(maximum), must lie between 0 and 1")
    func left(_ share: Double) -> Double {
      let cosine = Double.cos((share + offset) / (1 + offset) * Double.pi / 2)
      return cosine * cosine
    }
    return try NoiseSchedule(
      betas: (0..<steps).map { step in
        min(maximum, 1 - left(Double(step + 1) / Double(steps)) / left(Double(step) / Double(steps)))
      })
  }

  /// `count` equally spaced numbers.
  private static func spread(_ count: Int, _ first: Double, _ last: Double) -> [Double] {
    let increment = count > 1 ? (last - first) / Double(count - 1) : 0
    return (0..<count).map { first + Double($0) * increment }
  }

  private static func check(steps: Int) throws(DiffusionError) {
    try require(steps >= 1, "steps", "\(steps) steps are too few; at least 1 is needed")
  }

  private static func check(steps: Int, first: Double, last: Double) throws(DiffusionError) {
    try check(steps: steps)
    for (key, beta) in [("first", first), ("last", last)] {
      try require(beta > 0 && beta < 1, key, "the variance β = \(beta) must lie between 0 and 1")
    }
    try require(first <= last, "first", "β must not shrink, but first = \(first) is above last = \(last)")
  }
}
