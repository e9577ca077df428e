import Testing

/// `benchmark --profile`: where a step's time goes.
struct ProfileTests {
  private static let quick: Words = "benchmark --preset shapes --set model.multipliers=[1,1] --batch 4 --steps 2"

  private struct Report: Decodable {
    struct Row: Decodable {
      let operation: String
      let calls: Double
      let seconds: Double
      let share: Double
    }
    struct Step: Decodable {
      let seconds: Double
      let shareOfPeak: Double
    }
    struct Scale: Decodable {
      let images: Int
      let directGflopPerImage: Double
      let copyGbPerSecond: Double
    }
    let ranks: Int
    let secondsPerStep: [Double]
    let forwardGflopPerImage: Double
    let profile: [Row]
    let profileStep: Step
    let profileScale: Scale
  }

  @Test(arguments: [1, 2])
  func tableFitsIntoAHundredColumns(ranks: Int) async throws {
    let run = try await ddpm("benchmark --preset shapes --steps 2 --profile", ranks: ranks)
    run.succeeds(
      saying: #/(?m)^3x3 convolution forward +[0-9.]+ +[0-9.]+% /#, #/(?m)^whole step +[0-9.]+ +100\.0% /#)
    #expect(run.output.split(separator: "\n").dropFirst(3).allSatisfy { $0.count <= 100 }, "\(run)")
  }

  @Test(arguments: [1, 2])
  func operationsAddUpToTheStep(ranks: Int) async throws {
    let report = try await ddpm("\(Self.quick) --profile --json", ranks: ranks).json(as: Report.self)
    let names = report.profile.map(\.operation)
    #expect(Set(names).count == names.count)
    #expect(names.last == "other" && names.contains("Adam"))
    for row in report.profile { #expect(row.calls == 0 || row.seconds > 0) }
    #expect(try #require(report.profile.last).seconds >= 0)
    let step = report.profileStep
    #expect(abs(report.profile.map(\.seconds).reduce(0, +) - step.seconds) < 1e-4)
    #expect(abs(report.profile.map(\.share).reduce(0, +) - 1) < 1e-3)
    let mean = report.secondsPerStep.reduce(0, +) / Double(report.secondsPerStep.count)
    #expect(abs(step.seconds - mean) < 0.01 * mean + 1e-4)
    #expect(report.profileScale.images == 4 / report.ranks)
    // A training step has three times the arithmetic of a forward pass, but for gradients of the network's inputs.
    let ratio = report.profileScale.directGflopPerImage / report.forwardGflopPerImage
    #expect(ratio > 2.9 && ratio <= 3)
    #expect(step.shareOfPeak > 0 && step.shareOfPeak < 1)
    #expect(report.profileScale.copyGbPerSecond > 0)
  }

  @Test func roundingHasItsOwnLines() async throws {
    try await ddpm("\(Self.quick) --set model.precision=bfloat16 --profile")
      .succeeds(saying: #/(?m)^rounding to bfloat16 /#, #/(?m)^widening of bfloat16 /#)
  }

  @Test func samplingHasAProfile() async throws {
    try await ddpm("\(Self.quick) --job sample --profile").succeeds(saying: #/(?m)^attention forward /#)
  }
}
