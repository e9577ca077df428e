import Failures
import MessagePassing

/// What the launcher has passed to this process in its environment.
package enum Launcher {
  /// The rank of this process, as far as its environment tells before MPI has started; nil without a launcher.
  package static func rank(environment: [String: String]) -> String? {
    // A launcher may have been started by another one, whose variable comes later here.
    ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "PALS_RANKID", "SLURM_PROCID"].lazy
      .compactMap { environment[$0] }.first
  }

  /// Why this process is alone although it was started together with others, and what to do; nil if all is well.
  ///
  /// A launcher that the MPI library does not support starts many jobs of one rank, which would all train the same run.
  /// A single rank is fine if it was asked for: by hand, by `mpirun -n 1`, or in a batch script, whatever the number of
  /// tasks of the allocation (`SLURM_NTASKS`).
  ///
  /// - Parameters:
  ///   - worldSize: the number of ranks according to MPI; nil before MPI has started. In this case some libraries fail
  ///     to start, with a less helpful message.
  ///   - family: the library's.
  package static func misunderstanding(
    environment: [String: String], worldSize: Int?, family: MPILibrary.Family = MPILibrary.family
  ) -> String? {
    func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
    // Inside a SLURM job step; `mpirun` uses steps of its own to start processes.
    let stepTasks = environment["SLURM_PROCID"] == nil ? nil : number("SLURM_STEP_NUM_TASKS")

    guard let worldSize else {
      let isConnectedByLauncher = environment.keys.contains { key in
        ["PMI", "PALS_", "OMPI_COMM_WORLD_"].contains { key.hasPrefix($0) }
      }
      guard let stepTasks, stepTasks > 1, !isConnectedByLauncher else { return nil }
      return "srun started \(stepTasks) tasks without connecting them, so MPI would make each of them a separate job; "
        + srunAdvice(family)
    }

    guard worldSize == 1 else { return nil }
    if let ranks = number("OMPI_COMM_WORLD_SIZE") ?? number("PMI_SIZE") {
      return ranks == 1
        ? nil
        : "this process was started as one of \(ranks) ranks, but MPI reports a single rank; "
          + (stepTasks == nil
            ? "start it with the mpirun of the MPI that it was built with (`ddpm-mpi doctor` shows it)"
            : srunAdvice(family))
    }
    guard let stepTasks, stepTasks > 1 else { return nil }
    return "srun started \(stepTasks) tasks, but MPI reports a single rank in each; " + srunAdvice(family)
  }

  private static func srunAdvice(_ family: MPILibrary.Family) -> String {
    let start =
      switch family {
      case .openMPI: "`srun --mpi=pmix`"
      case .mpich: "`srun --mpi=pmi2`"
      case .intel: "`srun --mpi=pmi2` and I_MPI_PMI_LIBRARY set to the path of SLURM's libpmi2.so"
      }
    return "start them with \(start) (`srun --mpi=list` shows all), or with mpirun"
  }

  /// How to give each rank as many cores of its own as it has threads.
  package static func binding(threads: Int, family: MPILibrary.Family = MPILibrary.family) -> String {
    let mpirun =
      switch family {
      case .openMPI: "mpirun --map-by slot:PE=\(threads) --bind-to core"
      case .mpich: "mpirun -bind-to core:\(threads)"
      case .intel: "mpirun -genv OMP_NUM_THREADS \(threads) -genv I_MPI_PIN_DOMAIN omp"
      }
    return "\(mpirun), or srun --cpus-per-task=\(threads) --cpu-bind=cores"
  }

  // MARK: Lost hosts

  /// After how many seconds without an answer a host is lost; nil if the program itself does not watch.
  ///
  /// SLURM notices a lost host, and so does Open MPI's mpirun with the settings of `cluster/site.sh`. Hydra, the launcher
  /// of MPICH and Intel MPI, does not.
  /// - Throws: `InputError` if the variable cannot be read.
  package static func linkTimeout(environment: [String: String]) throws -> Int32? {
    if let text = environment[linkVariable] {
      if text == "none" { return nil }
      guard let seconds = Int32(text), linkTimeouts.contains(seconds) else {
        throw InputError(
          "\(linkVariable) is \(text); it must be a whole number of seconds from \(linkTimeouts.lowerBound) to "
            + "\(linkTimeouts.upperBound), or none")
      }
      return seconds
    }
    let isHydra = environment["MPI_LOCALRANKID"] != nil && environment["OMPI_COMM_WORLD_RANK"] == nil
    return isHydra ? 10 : nil
  }

  /// The environment variable that sets `linkTimeout`.
  package static let linkVariable = "DDPM_LINK_TIMEOUT"
  private static let linkTimeouts: ClosedRange<Int32> = 4...3600
}
