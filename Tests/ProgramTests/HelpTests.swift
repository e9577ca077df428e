import Testing

struct HelpTests {
  private static var version: Regex<Substring> { /(?m)^[0-9]+\.[0-9]+\.[0-9]+$/ }

  @Test func helpListsTheCommands() async throws {
    try await ddpm("--help").succeeds(saying: "SUBCOMMANDS")
  }

  @Test(arguments: [
    "train", "train-classifier", "sample", "restore", "evaluate", "likelihood", "encode", "decode", "interpolate",
    "pack", "presets", "benchmark", "inspect", "doctor",
  ])
  func helpFitsIntoEightyColumns(command: String) async throws {
    let help = try await ddpm("\(command) --help").succeeds(saying: "USAGE: ddpm-mpi \(command)")
    #expect(help.lines.allSatisfy { $0.count <= 80 })
  }

  @Test func severalRanksPrintTheVersionOnce() async throws {
    try await ddpm("--version").succeeds(saying: Self.version)
    let shared = try await ddpm("--version", ranks: 2).succeeds(saying: Self.version)
    #expect(shared.lines.count == 1)
  }

  @Test func doctorDescribesTheProgramAndTheRanks() async throws {
    try await ddpm("doctor").succeeds(saying: "built for", "  library     /", #/rank 0 +[0-9]+ processors?, /#)
    try await ddpm("doctor --threads 999").succeeds(
      saying: "fewer than its 999 threads; mpirun ")
  }
}
