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
      let ratio = Double(total) / Double(count)
      return (0..<count).reversed().map {
        Int((Double(total) - Double($0) * ratio).rounded(.toNearestOrEven)) - 1
      }
    case .linspace:
      if count == 1 { return [total - 1] }
      let distance = Double(total - 1) / Double(count - 1)
      return (0..<count).map { Int((Double($0) * distance).rounded(.toNearestOrEven)) }
    }
  }
}
