/// Which steps of a discrete process a sampler visits when it takes fewer steps; called `timestep_spacing` in
/// diffusers' schedulers (Lin, Liu, Li, Yang: "Common diffusion noise schedules and sample steps are flawed",
/// arXiv:2305.08891, table 2).
package enum StepSpacing: String, Sendable, CaseIterable {
  /// Every ⌊T/N⌋-th step, starting with the first.
  case leading
  /// Every T/N-th step, counting down from the last.
  case trailing
  /// Equally spaced from the first to the last.
  case linspace

  /// `count` of `total` steps, ascending.
  /// - Throws: `DiffusionError` if there are not enough, or two coincide.
  package func steps(_ count: Int, of total: Int) throws(DiffusionError) -> [Int] {
    try require(
      (1...total).contains(count), "steps",
      "cannot sample in \(count) steps; the process has \(total), so give 1 to \(total)")
    switch self {
    case .leading: return (0..<count).map { $0 * (total / count) }
    case .trailing:
      // Rounded like numpy's arange, which decides between two steps that are equally near.
      let distance = Double(total) - (Double(total) - Double(total) / Double(count))
      return (0..<count).reversed().map {
        Int((Double(total) - Double($0) * distance).rounded(.toNearestOrEven)) - 1
      }
    case .linspace:
      // As in numpy's linspace, and therefore diffusers.
      if count == 1 { return [0] }
      let distance = Double(total - 1) / Double(count - 1)
      return (0..<count).map { Int((Double($0) * distance).rounded(.toNearestOrEven)) }
    }
  }

  /// `count` of `total` steps, ascending, for a solver that continues from the first of them to the image itself. As in
  /// diffusers' `DPMSolverMultistepScheduler`, `leading` and `linspace` place one more point and drop the first, step
  /// 0: it has hardly any noise and stands for the image.
  /// - Throws: `DiffusionError` if there are not enough.
  package func stepsBeforeImage(_ count: Int, of total: Int) throws(DiffusionError) -> [Int] {
    if self == .trailing { return try steps(count, of: total) }
    try require(
      (1..<total).contains(count), "steps",
      "cannot sample in \(count) steps after the first of the process's \(total); give 1 to \(total - 1)")
    return Array(try steps(count + 1, of: total).dropFirst())
  }
}
