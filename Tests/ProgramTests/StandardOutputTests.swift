import Foundation
import TestSupport
import Testing

/// A full or closed standard output is an error; standard error is not.
@Suite(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
struct StandardOutputTests {
  private static func commands() async throws -> [Words] {
    let inputs = try await OutputCommand.Inputs.made
    return [
      "samplers", "presets", "--help", "--version", "sample --help", "inspect \(inputs.model)",
      "likelihood --checkpoint \(inputs.model) --method ode --tolerance 0.5 --count 1 --json",
      "fid \(inputs.statistics) \(inputs.statistics) --json",
    ]
  }

  /// Runs the program from a shell, with a redirection.
  private func ddpm(_ words: Words, _ redirection: String) async throws -> ProgramRun {
    let script = "\"$@\" \(redirection)"
    return try await command("sh -c \(script) sh \(Place.program) \(words)")
  }

  @Test func fullOrClosedStandardOutputIsAnError() async throws {
    let folder = try TemporaryFolder()
    let model = try await OutputCommand.Inputs.made.model
    let sample: Words = "sample --checkpoint \(model) --steps 1 --count 1 --output \(folder)/o.h5"
    for words in try await Self.commands() + [sample] {
      try await ddpm(words, ">/dev/full")
        .ends(1, saying: "cannot write to standard output: No space left on device")
      try await ddpm(words, ">&-").ends(1, saying: "cannot write to standard output: ")
    }
    // Output for a closed descriptor was not written to any file.
    try await ProgramTests.ddpm("inspect \(model)").succeeds()
  }

  @Test func fullStandardErrorDoesNotChangeTheStatus() async throws {
    try await ddpm("nonsense", "2>/dev/full").ends(2)
  }
}
