import Testing

/// `benchmark --scaling`: the same work on 1, 2, … of the job's ranks.
struct ScalingTests {
  private static let quick: Words = "benchmark --preset shapes --set model.multipliers=[1,1] --steps 2"

  @Test func tableHasTwoRowsForEachNumberOfRanks() async throws {
    let run = try await ddpm("\(Self.quick) --batch 12 --scaling", ranks: 3)
    run.succeeds(saying: "Weak scaling: 4 images per step and rank")
    let rows = run.lines.compactMap { $0.prefixMatch(of: #/ +([123]) +([0-9]+) /#) }
    #expect(rows.map { "\($0.1) \($0.2)" } == ["1 12", "2 12", "3 12", "1 4", "2 8", "3 12"])
  }

  @Test func theReportHasBothKinds() async throws {
    struct Row: Decodable {
      let ranks: Int
      let batch: Int
      let imagesPerSecondMedian: Double
      let efficiency: Double
    }
    struct Report: Decodable {
      let strong: [Row]
      let weak: [Row]
    }
    let report = try await ddpm("\(Self.quick) --batch 4 --scaling --json", ranks: 2).json(as: Report.self)
    for (rows, batches) in [(report.strong, [4, 4]), (report.weak, [2, 4])] {
      #expect(rows.map(\.ranks) == [1, 2])
      #expect(rows.map(\.batch) == batches)
      let speeds = rows.map(\.imagesPerSecondMedian)
      #expect(rows[0].efficiency == 1)
      // As printed, with four decimals.
      #expect(abs(rows[1].efficiency - speeds[1] / speeds[0] / 2) < 1e-3)
    }
  }
}
