import ArgumentParser
import COldGlibc
import Datasets
import Failures
import Files
import ForeignFiles
import FoundationEssentials
import Glibc
import Inference
import MessagePassing
import Ranks
import Reporting

/// The root of the command line. The subcommands only parse and wire; their jobs are in modules such as `Training`,
/// `Inference` and `Packing`.
struct Program: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ddpm-mpi",
    abstract: "Trains denoising diffusion models on the cores of a machine or a cluster.",
    discussion: """
      Run it directly, with `mpirun -n RANKS ddpm-mpi …`, or from a SLURM job (cluster/train.sbatch).

      EXAMPLES
        mpirun -n 8 ddpm-mpi train
        ddpm-mpi train --preset shapes --set training.steps=50
        mpirun -n 8 ddpm-mpi train --preset cifar10 --set data.path=/data/cifar10
        mpirun -n 8 ddpm-mpi train --preset cifar10 --resume
        ddpm-mpi sample --checkpoint runs/quickstart --count 64 --output images.h5
        ddpm-mpi report runs/quickstart

      EXIT STATUS
        0 done
        1 another failure: MPI, the file system
        2 arguments, configuration or data are invalid
        3 a loss, a gradient or an image was not finite
        4 there is no usable checkpoint
        5 training was asked to stop early and has saved: continue with --resume
        6 a rank hung or a host was lost, and the job ended: continue with --resume
      """,
    version: ProgramVersion.current,
    subcommands: [
      Train.self, TrainClassifier.self, Sample.self, Restore.self, PresetsCommand.self, Samplers.self, Likelihood.self,
      Encode.self,
      Decode.self,
      Interpolate.self,
      Evaluate.self, FID.self, Report.self, Export.self, Import.self, Pack.self, BenchmarkCommand.self, Plan.self,
      Inspect.self, Doctor.self, MPILibraryCommand.self,
    ])
}

@main
struct Main {
  static func main() {
    ForeignReader.serveIfAsked(
      imageFileQuestions + fieldFileQuestions + latentFileQuestions, arguments: givenArguments)
    StandardOutput.takeStandardDescriptors()
    // A file that exceeds its limit is an error like a full disk, and should not end the program.
    signal(SIGXFSZ, SIG_IGN)
    if let problem = UnpackedLimit.problem {
      report(problem)
      exit(ExitStatus.badInput.rawValue)
    }
    let parsed = Result { try parse() }
    if case .failure(let mistake) = parsed, rankOfLauncher == nil {
      report("\(mistake)")
      exit(ExitStatus.badInput.rawValue)
    }
    if case .success(let command) = parsed, type(of: command).stopsWhenAsked { StopSignals.listen() }
    run { communicator in
      // The launcher may give each rank its own arguments, so a mistake may be one rank's.
      var command = try communicator.together { try parsed.get() }
      if !type(of: command).ranksMayDiffer {
        try communicator.requireAlike("command line", givenArguments.joined(separator: " "))
      }
      if !type(of: command).ranksMayRunDifferentBuilds { try RankBuilds.requireAlike(on: communicator) }
      try communicator.check(command.files)
      try command.run(on: communicator)
    }
  }

  /// The command that the arguments ask for. Does not return where they ask for help or the version.
  private static func parse() throws -> any RankCommand {
    do {
      var command = try Program.parseAsRoot(givenArguments)
      if let command = command as? any RankCommand { return command }
      try command.run()
      leave(.done)
    } catch {
      let message = Program.message(for: error)
      guard Program.exitCode(for: error) == .success else {
        throw InputError("\(Program.missingSubcommand ?? message)\nSee `\(Program.helpCommand)`.")
      }
      // Under mpirun one rank is enough to say so.
      if rankOfLauncher ?? "0" == "0" { StandardOutput.print(message) }
      leave(.done)
    }
  }

  /// Ends the process. If output was lost, the status is a failure.
  private static func leave(_ status: ExitStatus) -> Never {
    do {
      try StandardOutput.flush()
    } catch {
      report("\(error)")
      exit(status == .done ? ExitStatus.failure.rawValue : status.rawValue)
    }
    exit(status.rawValue)
  }

  /// Runs a command on all ranks and leaves with the status that its outcome calls for.
  private static func run(_ body: (Communicator) throws -> Void) -> Never {
    requireOneJob(worldSize: nil)
    let communicator: Communicator
    do {
      communicator = try MPISession.initialise()
    } catch {
      report("\(error)")
      exit(ExitStatus.failure.rawValue)
    }
    requireOneJob(worldSize: communicator.size)
    do {
      try body(communicator)
      try MPISession.finalise()
      leave(.done)
    } catch {
      let status = ExitStatus(for: error)
      guard let ending = error as? any JobEndingError, ending.isKnownToAllRanks || communicator.size == 1 else {
        // Other ranks do not know, and would wait for it forever.
        JobAbort.abort(rank: communicator.rank, error)
      }
      // A process that works alone need not say which rank it is.
      let isAlone = communicator.size == 1
      if communicator.rank == 0 { report(isAlone ? (error as? JobFailure)?.message ?? "\(error)" : "\(error)") }
      try? MPISession.finalise()
      leave(status)
    }
  }

  /// Leaves if MPI does not make one job of the processes that were started together.
  private static func requireOneJob(worldSize: Int?) {
    let environment = ProcessInfo.processInfo.environment
    guard let problem = Launcher.misunderstanding(environment: environment, worldSize: worldSize) else { return }
    if rankOfLauncher ?? "0" == "0" { report(problem) }
    try? MPISession.finalise()
    exit(ExitStatus.badInput.rawValue)
  }

  /// The rank that a launcher has given this process, as far as the environment tells before MPI has started.
  private static var rankOfLauncher: String? {
    Launcher.rank(environment: ProcessInfo.processInfo.environment)
  }

  private static func report(_ message: String) { JobAbort.report(message) }
}

extension Program {
  private static let subcommandNames = configuration.subcommands.filter { $0.configuration.shouldDisplay }
    .map { $0._commandName }

  /// The problem, if the first argument is meant to be a subcommand but is not one.
  fileprivate static var missingSubcommand: String? {
    guard let name = givenArguments.first, !name.hasPrefix("-"), !(subcommandNames + ["help"]).contains(name) else {
      return nil
    }
    return "there is no command \(name); the commands are \(subcommandNames.joined(separator: ", "))"
  }

  /// The command line that shows the help for what was asked.
  fileprivate static var helpCommand: String {
    let name = givenArguments.first.flatMap { subcommandNames.contains($0) ? "\($0) " : nil } ?? ""
    return "ddpm-mpi \(name)--help"
  }
}

/// A subcommand that all ranks run together.
protocol RankCommand: ParsableCommand {
  /// Whether the command itself checks which differences between the ranks' arguments do harm.
  static var ranksMayDiffer: Bool { get }
  /// Whether it runs even where results would depend on which rank computes them.
  static var ranksMayRunDifferentBuilds: Bool { get }
  /// Whether a signal that asks for a stop is noted and waits until the work has been saved.
  static var stopsWhenAsked: Bool { get }
  /// What it reads and writes, as far as the command line says. It is checked before the command runs.
  var files: CommandFiles { get }

  mutating func run(on communicator: Communicator) throws
}

extension RankCommand {
  static var ranksMayDiffer: Bool { false }
  static var ranksMayRunDifferentBuilds: Bool { false }
  static var stopsWhenAsked: Bool { false }
}
