import Failures
import MessagePassing
import Ranks
import Testing

/// The environments are those of SLURM 22.05, Open MPI 4.1 and MPICH 4.0.
@Suite struct LauncherTests {
  private static let batchScript = ["SLURM_NTASKS": "4", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"]
  private static let srun = batchScript.merging(["SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4"]) { $1 }
  private static let srunOfOne = srun.merging(["SLURM_STEP_NUM_TASKS": "1", "SLURM_NTASKS": "1"]) { $1 }
  private static let pmix = ["PMIX_RANK": "0", "PMIX_NAMESPACE": "slurm.pmix.1.2"]
  private static let hydra = [
    "PMI_RANK": "3", "PMI_SIZE": "4", "MPI_LOCALRANKID": "1", "MPI_LOCALNRANKS": "2",
  ]
  private static let mpirun = ["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "4", "PMIX_RANK": "0"]

  @Test(
    arguments: [
      ("by hand", [:], 1),
      ("in a batch script", batchScript, 1),
      ("srun -n 1", srunOfOne, 1),
      ("srun --mpi=pmix", srun.merging(pmix) { $1 }, 4),
      ("mpirun", mpirun, 4),
      ("mpirun -n 1", ["OMPI_COMM_WORLD_SIZE": "1"], 1),
      ("mpirun with fewer ranks than tasks", batchScript.merging(mpirun) { $1 }, 4),
      ("mpirun, where it started itself by srun", srunOfOne.merging(mpirun) { $1 }, 4),
      ("mpirun -n 1, where it started itself by srun", srun.merging(["OMPI_COMM_WORLD_SIZE": "1"]) { $1 }, 1),
    ] as [(String, [String: String], Int)])
  func aJobThatIsWhole(start: String, environment: [String: String], size: Int) {
    #expect(Launcher.misunderstanding(environment: environment, worldSize: nil) == nil)
    #expect(Launcher.misunderstanding(environment: environment, worldSize: size) == nil)
  }

  @Test func unconnectedSrunTasksAreRefusedBeforeMPIStarts() throws {
    let problem = try #require(Launcher.misunderstanding(environment: Self.srun, worldSize: nil, family: .openMPI))
    #expect(problem.contains("srun started 4 tasks"))
    #expect(problem.contains("srun --mpi=pmix"))
  }

  @Test func srunTasksThatAreSeparateJobsAreRefused() throws {
    let environment = Self.srun.merging(Self.pmix) { $1 }
    #expect(Launcher.misunderstanding(environment: environment, worldSize: nil) == nil)
    let problem = try #require(Launcher.misunderstanding(environment: environment, worldSize: 1))
    #expect(problem.contains("srun started 4 tasks, but MPI reports a single rank in each"))
  }

  @Test(arguments: ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"])
  func ranksOfAnotherMPIsLauncherAreRefused(variable: String) throws {
    let problem = try #require(Launcher.misunderstanding(environment: [variable: "3"], worldSize: 1))
    #expect(problem.contains("one of 3 ranks, but MPI reports a single rank"))
    #expect(problem.contains("the mpirun of the MPI that it was built with"))
  }

  @Test func adviceIsForTheLibrary() throws {
    let problem = try #require(Launcher.misunderstanding(environment: Self.srun, worldSize: nil, family: .mpich))
    #expect(problem.contains("srun --mpi=pmi2"))
    #expect(Launcher.binding(threads: 2, family: .openMPI).hasPrefix("mpirun --map-by slot:PE=2 --bind-to core, or "))
    #expect(Launcher.binding(threads: 2, family: .mpich).hasPrefix("mpirun -bind-to core:2, or "))
    #expect(Launcher.binding(threads: 2, family: .intel).contains("I_MPI_PIN_DOMAIN"))
  }

  @Test(
    arguments: [
      ("by hand", [:], nil), ("mpirun", mpirun, "0"), ("srun --mpi=pmix", srun.merging(pmix) { $1 }, "0"),
      ("hydra, which has started its proxies by srun", srunOfOne.merging(hydra) { $1 }, "3"),
    ] as [(String, [String: String], String?)])
  func theRankIsKnownBeforeMPIStarts(start: String, environment: [String: String], rank: String?) {
    #expect(Launcher.rank(environment: environment) == rank)
  }

  /// Hydra does not notice lost hosts; the others do.
  @Test func lostHostsAreWatchedWhereTheLauncherDoesNot() throws {
    #expect(try Launcher.linkTimeout(environment: Self.hydra) == 10)
    for environment in [[:], Self.mpirun, Self.srun.merging(Self.pmix) { $1 }] {
      #expect(try Launcher.linkTimeout(environment: environment) == nil)
    }
    #expect(try Launcher.linkTimeout(environment: Self.hydra.merging(["DDPM_LINK_TIMEOUT": "none"]) { $1 }) == nil)
    #expect(try Launcher.linkTimeout(environment: Self.mpirun.merging(["DDPM_LINK_TIMEOUT": "30"]) { $1 }) == 30)
    for text in ["", "3", "4000", "ten"] {
      #expect(throws: InputError.self) { try Launcher.linkTimeout(environment: ["DDPM_LINK_TIMEOUT": text]) }
    }
  }
}
