/// What the program that started this process has told it by its environment.
public enum Launcher {
  /// Why this process is alone although it was started with others, and what to do; nil if all is well.
  ///
  /// A launcher that the MPI library does not understand starts many jobs of one rank, which would all train the same
  /// run. A single rank is well where a single one was asked for: by hand, by `mpirun -n 1`, or in a batch script,
  /// however many tasks the allocation has room for (`SLURM_NTASKS`).
  ///
  /// - Parameter worldSize: ranks of the job by MPI's account; nil before MPI has started, which some libraries refuse
  ///   in this case, with less to say.
  public static func misunderstanding(environment: [String: String], worldSize: Int?) -> String? {
    func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
    // Within a job step of SLURM; `mpirun` uses steps of its own to start others.
    let stepTasks = environment["SLURM_PROCID"] == nil ? nil : number("SLURM_STEP_NUM_TASKS")

    guard let worldSize else {
      let isToldOfOthers = environment.keys.contains { key in
        ["PMI", "PALS_", "OMPI_COMM_WORLD_"].contains { key.hasPrefix($0) }
      }
      guard let stepTasks, stepTasks > 1, !isToldOfOthers else { return nil }
      return "srun started \(stepTasks) tasks without telling them of each other, so MPI would make a job of each; "
        + srunAdvice
    }

    guard worldSize == 1 else { return nil }
    if let ranks = number("OMPI_COMM_WORLD_SIZE") ?? number("PMI_SIZE") {
      return ranks == 1
        ? nil
        : "this process was started as one of \(ranks) ranks, but MPI says that it is alone; "
          + (stepTasks == nil ? "start it with the mpirun of the MPI that it was built with" : srunAdvice)
    }
    guard let stepTasks, stepTasks > 1 else { return nil }
    return "srun started \(stepTasks) tasks, but MPI says that each of them is alone; " + srunAdvice
  }

  private static let srunAdvice = "start them with `srun --mpi=pmix` (`srun --mpi=list` shows what there is), or mpirun"
}
