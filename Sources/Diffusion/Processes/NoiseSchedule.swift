/// How much noise each of the T steps adds: β_t, and what follows from it, in double precision.
///
/// Steps are counted from 0, as programs do: β[0] is the paper's β₁, and t = T − 1 is the noisiest step.
public struct NoiseSchedule: Sendable, Equatable {
  /// β_t, the variance that step t adds; each in (0, 1).
  public let betas: [Double]
  /// α_t = 1 − β_t.
  public let alphas: [Double]
  /// ᾱ_t = α_0 · α_1 ⋯ α_t, the share of the image's variance that is left after step t.
  public let cumulativeAlphas: [Double]

  /// T, the number of steps.
  public var steps: Int { betas.count }

  /// A schedule of any variances.
  /// - Throws: `DiffusionError` when there is none or one lies outside (0, 1).
  public init(betas: [Double]) throws(DiffusionError) {
    guard !betas.isEmpty else {
      throw DiffusionError(key: "steps", problem: "a noise schedule needs at least 1 step")
    }
    for (step, beta) in betas.enumerated() where !(beta > 0 && beta < 1) {
      throw DiffusionError(
        key: "betas", problem: "the variance of step \(step) is \(beta); it must lie between 0 and 1")
    }
    self.init(checkedBetas: betas, cumulativeAlphas: nil)
  }

  private init(checkedBetas betas: [Double], cumulativeAlphas: [Double]?) {
    self.betas = betas
    alphas = betas.map { 1 - $0 }
    if let cumulativeAlphas {
      self.cumulativeAlphas = cumulativeAlphas
    } else {
      var product = 1.0
      self.cumulativeAlphas = alphas.map { alpha in
        product *= alpha
        return product
      }
    }
  }

  /// β grows in equal increments from `first` to `last` (Ho, Jain, Abbeel: "Denoising diffusion probabilistic models",
  /// NeurIPS 2020, section 4; its values are the defaults).
  /// - Throws: `DiffusionError` naming `steps`, `first` or `last` when it is out of range.
  public static func linear(
    steps: Int = 1000, first: Double = 1e-4, last: Double = 0.02
  ) throws(DiffusionError) -> NoiseSchedule {
    guard steps >= 1 else {
      throw DiffusionError(key: "steps", problem: "\(steps) steps are too few; at least 1 is needed")
    }
    for (key, beta) in [("first", first), ("last", last)] where !(beta > 0 && beta < 1) {
      throw DiffusionError(key: key, problem: "the variance β = \(beta) must lie between 0 and 1")
    }
    guard first <= last else {
      throw DiffusionError(key: "first", problem: "β must not shrink, but first = \(first) is above last = \(last)")
    }
    let increment = steps > 1 ? (last - first) / Double(steps - 1) : 0
    return try NoiseSchedule(betas: (0..<steps).map { first + Double($0) * increment })
  }

  /// The schedule that visits only some of the steps and has this schedule's ᾱ at each of them:
  /// β'_i = 1 − ᾱ(kept_i) / ᾱ(kept_{i−1}) (Nichol, Dhariwal: "Improved denoising diffusion probabilistic models",
  /// ICML 2021, section 4).
  /// - Parameter kept: the steps to visit, ascending, without repetition, each below `steps`.
  public func respaced(keeping kept: [Int]) -> NoiseSchedule {
    precondition(!kept.isEmpty && kept.first! >= 0 && kept.last! < steps, "kept steps must lie in 0..<\(steps)")
    precondition(zip(kept, kept.dropFirst()).allSatisfy(<), "kept steps must ascend")
    if kept.count == steps { return self }
    let cumulative = kept.map { cumulativeAlphas[$0] }
    let previous = [1] + cumulative.dropLast()
    return NoiseSchedule(checkedBetas: zip(cumulative, previous).map { 1 - $0 / $1 }, cumulativeAlphas: cumulative)
  }

  /// `count` steps spread evenly over all, the first and the last among them; a single one is the last.
  /// - Throws: `DiffusionError` when `count` is not in 1...steps.
  public func evenlySpacedSteps(_ count: Int) throws(DiffusionError) -> [Int] {
    guard (1...steps).contains(count) else {
      throw DiffusionError(
        key: "steps", problem: "cannot sample in \(count) steps; the process has \(steps), so give 1 to \(steps)")
    }
    if count == 1 { return [steps - 1] }
    let spacing = Double(steps - 1) / Double(count - 1)
    return (0..<count).map { Int((Double($0) * spacing).rounded(.toNearestOrEven)) }
  }
}
