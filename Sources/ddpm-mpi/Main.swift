import ArgumentParser
import Foundation
import Kernels
import MessagePassing
import Training

/// The command line's root. What the subcommands do is in `Training`; here is parsing and wiring only.
struct Program: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ddpm-mpi",
    abstract: "Trains denoising diffusion models on the cores of a machine or a cluster.",
    discussion: """
      Run it by itself, with `mpirun -n RANKS ddpm-mpi …`, or from a SLURM job (cluster/train.sbatch).

      EXAMPLES
        mpirun -n 8 ddpm-mpi train
        ddpm-mpi train --preset shapes --set training.steps=50
        mpirun -n 8 ddpm-mpi train --preset cifar10 --set data.path=/data/cifar10
        mpirun -n 8 ddpm-mpi train --preset cifar10 --resume
        ddpm-mpi sample --checkpoint runs/quickstart --count 64 --output images.h5

      EXIT STATUS
        0 done
        1 something else failed: MPI, the file system
        2 arguments, configuration or data are wrong
        3 a loss, a gradient or an image was not finite
        4 there is no usable checkpoint
      """,
    version: ProgramVersion.current,
    subcommands: [Train.self, Sample.self, BenchmarkCommand.self, Inspect.self, Doctor.self])
}

@main
struct Main {
  static func main() {
    Processor.restartWithSuitableBLAS()
    let command: any ParsableCommand
    do {
      command = try Program.parseAsRoot()
    } catch {
      exitForArguments(error)
    }
    if var command = command as? any RankCommand {
      run { communicator in try command.run(on: communicator) }
    } else {
      var command = command
      do { try command.run() } catch { exitForArguments(error) }
    }
  }

  /// Runs a command on all ranks and leaves with the status that its outcome calls for.
  private static func run(_ body: (Communicator) throws -> Void) -> Never {
    let communicator: Communicator
    do {
      communicator = try MPISession.initialise()
    } catch {
      report("\(error)")
      exit(ExitStatus.failure.rawValue)
    }
    do {
      try body(communicator)
      try MPISession.finalise()
      exit(ExitStatus.done.rawValue)
    } catch {
      let status = ExitStatus(for: error)
      guard let ending = error as? any JobEndingError, ending.isKnownToAllRanks || communicator.size == 1 else {
        // Other ranks do not know, and would wait for this one for ever.
        report("rank \(communicator.rank): \(error)")
        MPISession.abort(status: status.rawValue)
      }
      // A process that works alone need not say which rank it is.
      let isAlone = communicator.size == 1
      if communicator.rank == 0 { report(isAlone ? (error as? JobFailure)?.message ?? "\(error)" : "\(error)") }
      try? MPISession.finalise()
      exit(status.rawValue)
    }
  }

  /// `--help`, `--version` and mistakes in the arguments. Under mpirun one rank is enough to say so.
  private static func exitForArguments(_ error: any Error) -> Never {
    let isMistake = Program.exitCode(for: error) != .success
    if isFirstProcess {
      let message = Program.fullMessage(for: error)
      if isMistake { report(message, prefix: "") } else { print(message) }
    }
    exit(isMistake ? ExitStatus.badInput.rawValue : ExitStatus.done.rawValue)
  }

  /// Whether the launcher calls this process rank 0, as far as the environment tells before MPI has started.
  private static var isFirstProcess: Bool {
    let environment = ProcessInfo.processInfo.environment
    let rank = environment["OMPI_COMM_WORLD_RANK"] ?? environment["PMIX_RANK"] ?? environment["SLURM_PROCID"] ?? "0"
    return rank == "0"
  }

  private static func report(_ message: String, prefix: String = "ddpm-mpi: ") {
    FileHandle.standardError.write(Data("\(prefix)\(message)\n".utf8))
  }
}

/// A subcommand that all ranks run together.
protocol RankCommand: ParsableCommand {
  mutating func run(on communicator: Communicator) throws
}
