import Foundation
import Subprocess

/// The folders of the package and of the program that was built with these tests.
enum Place {
  static let package = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized
    .path
  static let program =
    URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
    + "/ddpm-mpi"
  static let mpirun = package + "/scripts/mpirun.sh"
}

/// Runs the program, under `mpirun` if a number of ranks is given.
///
/// - Parameters:
///   - environment: variables besides this process's own.
///   - folder: where the program works; the package's folder if nil.
func ddpm(
  _ words: Words, ranks: Int? = nil, environment: [String: String] = [:], in folder: String? = nil
) async throws -> ProgramRun {
  let launcher = ranks.map { [Place.mpirun, "\($0)"] } ?? []
  return try await command(Words(launcher + [Place.program] + words.list), environment: environment, in: folder)
}

/// Runs a command with a limit of five minutes, since a deadlock must not block everything.
func command(
  _ words: Words, environment: [String: String] = [:], in folder: String? = nil
) async throws -> ProgramRun {
  try await Slots.shared.whileHolding {
    let guarded = ["timeout", "--kill-after=10", "300"] + words.list
    let result = try await run(
      .name("env"), arguments: Arguments(surroundings(environment, in: folder) + guarded),
      output: .string(limit: 1 << 24),
      error: .string(limit: 1 << 24))
    return ProgramRun(
      command: words, status: result.terminationStatus.code, output: result.standardOutput, error: result.standardError)
  }
}

/// Runs a command without a limit and passes its process to `body`, which has to end it. Its output goes to the file
/// `log`.
func withRunning(
  _ words: Words, log: String, _ body: (pid_t) async throws -> Void
) async throws -> Int {
  try await Slots.shared.whileHolding {
    try Data().write(to: URL(filePath: log))
    // The command replaces the shell, so that the process is the command's.
    let shell = ["sh", "-c", #"log=$1; shift; exec "$@" >"$log" 2>&1"#, "sh", log] + words.list
    let result = try await run(
      .name("env"), arguments: Arguments(surroundings([:], in: nil) + shell), input: .none, output: .discarded,
      error: .discarded
    ) { execution in
      try await body(execution.processIdentifier.value)
    }
    return result.terminationStatus.code
  }
}

/// The words for `env`.
private func surroundings(_ environment: [String: String], in folder: String?) -> [String] {
  // Tests neither read nor write the user's data.
  let variables = ["DDPM_REFERENCE_CACHE": Fixture.root.path + "/references"].merging(environment) { $1 }
  return ["-C", folder ?? Place.package] + variables.map { "\($0)=\($1)" }
}

/// Whether two HDF5 files, or one object in each, are equal by `h5diff`.
func areEqual(_ a: String, _ b: String, _ objects: String...) async throws -> Bool {
  let result = try await command(Words(["h5diff", a, b] + objects))
  // With 2 or more, they could not be compared.
  guard result.status < 2 else { throw CommandFailure(run: result) }
  return result.status == 0
}

struct CommandFailure: Error, CustomStringConvertible {
  let run: ProgramRun
  var description: String { run.description }
}

extension TerminationStatus {
  /// As reported by a shell.
  fileprivate var code: Int {
    switch self {
    case .exited(let status): Int(status)
    case .signaled(let signal): 128 + Int(signal)
    }
  }
}

/// The number of commands that run at the same time: two, since one usually waits for the other's ranks.
private actor Slots {
  static let shared = Slots(count: 2)

  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(count: Int) { free = count }

  nonisolated func whileHolding<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
    await take()
    do {
      let result = try await body()
      await giveBack()
      return result
    } catch {
      await giveBack()
      throw error
    }
  }

  private func take() async {
    if free > 0 {
      free -= 1
    } else {
      await withCheckedContinuation { waiting.append($0) }
    }
  }

  private func giveBack() {
    if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
  }
}
