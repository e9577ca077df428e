/// What the launcher has passed to this process in its environment.
package enum Launcher {
  /// Why this process is alone although it was started together with others, and what to do; nil if all is well.
  ///
  /// A launcher that the MPI library does not support starts many jobs of one rank, which would all train the same run.
  /// A single rank is fine if it was asked for: by hand, by `mpirun -n 1`, or in a batch script, whatever the number of
  /// tasks of the allocation (`SLURM_NTASKS`).
  ///
  /// - Parameter worldSize: the number of ranks according to MPI; nil before MPI has started. In this case some
  ///   libraries fail to start, with a less helpful message.
  package static func misunderstanding(environment: [String: String], worldSize: Int?) -> String? {
    func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
    // Inside a SLURM job step; `mpirun` uses steps of its own to start processes.
    let stepTasks = environment["SLURM_PROCID"] == nil ? nil : number("SLURM_STEP_NUM_TASKS")

    guard let worldSize else {
      let isToldOfOthers = environment.keys.contains { key in
        ["PMI", "PALS_", "OMPI_COMM_WORLD_"].contains { key.hasPrefix($0) }
      }
      guard let stepTasks, stepTasks > 1, !isToldOfOthers else { return nil }
      return "srun started \(stepTasks) tasks without connecting them, so MPI would make each of them a separate job; "
        + srunAdvice
    }

    guard worldSize == 1 else { return nil }
    if let ranks = number("OMPI_COMM_WORLD_SIZE") ?? number("PMI_SIZE") {
      return ranks == 1
        ? nil
        : "this process was started as one of \(ranks) ranks, but MPI reports a single rank; "
          + (stepTasks == nil ? "start it with the mpirun of the MPI that it was built with" : srunAdvice)
    }
    guard let stepTasks, stepTasks > 1 else { return nil }
    return "srun started \(stepTasks) tasks, but MPI reports a single rank in each; " + srunAdvice
  }

  private static let srunAdvice = "start them with `srun --mpi=pmix` (`srun --mpi=list` shows all), or with mpirun"
}
