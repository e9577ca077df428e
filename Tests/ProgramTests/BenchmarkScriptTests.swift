import Testing

/// The benchmark scripts, as far as they work without PyTorch.
struct BenchmarkScriptTests {
  @Test func unknownRowsAndTablesAreRefused() async throws {
    try await command("scripts/measure/against-pytorch.sh speed")
      .ends(2, saying: "There is no row speed; the rows are train-cifar10")
    try await command("scripts/measure/growth.sh width")
      .ends(2, saying: "There is no table width; the tables are batch")
  }

  @Test func growthPrintsATable() async throws {
    try await command(
      "scripts/measure/growth.sh resolution",
      environment: ["RANKS": "1", "MICRO_BATCH": "1", "STEPS": "1"]
    ).succeeds(saying: #/(?m)^\| 64x64 /#)
  }
}
