/// Which steps of a discrete process a sampler visits when it takes fewer: what diffusers' schedulers call
/// `timestep_spacing` (Lin, Liu, Li, Yang: "Common diffusion noise schedules and sample steps are flawed",
/// arXiv:2305.08891, table 2).
public enum StepSpacing: String, Sendable, CaseIterable {
  /// Every ⌊T/N⌋-th step from the first on.
  case leading
  /// Every T/N-th step from the last down.
  case trailing
  /// From the first to the last at equal distances.
  case linspace

  /// `count` of `total` steps, ascending.
  /// - Throws: `DiffusionError` when there are not so many, or two coincide.
  public func steps(_ count: Int, of total: Int) throws(DiffusionError) -> [Int] {
    guard (1...total).contains(count) else {
      throw DiffusionError(
        key: "steps", problem: "cannot sample in \(count) steps; the process has \(total), so give 1 to \(total)")
    }
    switch self {
    case .leading: return (0..<count).map { $0 * (total / count) }
    case .trailing:
      // As numpy's arange rounds the distance: it decides where a step lies in the middle between two.
      let distance = Double(total) - (Double(total) - Double(total) / Double(count))
      return (0..<count).reversed().map {
        Int((Double(total) - Double($0) * distance).rounded(.toNearestOrEven)) - 1
      }
    case .linspace:
      // As numpy's linspace, and with it diffusers, has it.
      if count == 1 { return [0] }
      let distance = Double(total - 1) / Double(count - 1)
      return (0..<count).map { Int((Double($0) * distance).rounded(.toNearestOrEven)) }
    }
  }

  /// `count` of `total` steps, ascending, for a solver that goes on from the first of them to the image itself: as
  /// diffusers' `DPMSolverMultistepScheduler` has it, `leading` and `linspace` then put one point more, and the first of
  /// them, step 0, where hardly any noise is left, is the image.
  /// - Throws: `DiffusionError` when there are not so many.
  public func stepsBeforeImage(_ count: Int, of total: Int) throws(DiffusionError) -> [Int] {
    if self == .trailing { return try steps(count, of: total) }
    guard (1..<total).contains(count) else {
      throw DiffusionError(
        key: "steps",
        problem: "cannot sample in \(count) steps after the first of the process's \(total); give 1 to \(total - 1)")
    }
    return Array(try steps(count + 1, of: total).dropFirst())
  }
}
