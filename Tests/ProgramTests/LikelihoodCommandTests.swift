import TestSupport
import Testing

struct LikelihoodCommandTests {
  private static let brief: Words = "likelihood --count 3 --batch 2"

  private struct Report: Decodable {
    let count: Int
    let method: String
    let bitsPerDimension: Double
    let standardError: Double
    let evaluations: Int
    let parts: [String: Double]
  }

  @Test(arguments: [Words("--method bound"), Words("--method ode --tolerance 0.01")])
  func likelihoodsDoNotDependOnTheRanks(method: Words) async throws {
    let words: Words = "\(Self.brief) \(method) --checkpoint \(try await Fixture.fewSteps.made) --json"
    let alone = try await ddpm(words, ranks: 1).succeeds(saying: "\"bits_per_dimension\":")
    let shared = try await ddpm(words, ranks: 2).succeeds(saying: "\"bits_per_dimension\":")
    #expect(alone.output == shared.output)
  }

  @Test func theBoundIsTheSumOfItsParts() async throws {
    let report = try await ddpm(
      "\(Self.brief) --method bound --checkpoint \(try await Fixture.fewSteps.made) --json"
    ).json(as: Report.self)
    #expect(report.count == 3 && report.method == "bound" && report.evaluations == 20)
    // The rounding error of nine decimals.
    #expect(abs(report.parts.values.reduce(0, +) - report.bitsPerDimension) < 1e-9)
    #expect(report.standardError > 0)
  }

  /// With a zero terminal SNR the last step is pure noise: the bound's prior costs nothing.
  @Test func aZeroTerminalSNRHasNoPrior() async throws {
    let folder = try TemporaryFolder()
    try await ddpm(
      """
      train \(Fixture.tiny) --set diffusion.zero_terminal_snr=true --set diffusion.steps=20
      --set diffusion.prediction=velocity --output \(folder)/run
      """
    ).succeeds(saying: "Done")
    try await ddpm("\(Self.brief) --checkpoint \(folder)/run --method bound")
      .succeeds(saying: /(?m)^prior 0\.00000, steps [0-9.]+, image [0-9.]+$/)
    try await ddpm("likelihood --count 1 --checkpoint \(folder)/run --method ode --tolerance 0.1")
      .succeeds(saying: "bits per dimension (probability flow")
  }

  @Test func probesMayBeNormal() async throws {
    try await ddpm(
      """
      \(Self.brief) --method ode --tolerance 0.01 --probe gaussian --checkpoint \(try await Fixture.vpSDE.made)
      """
    ).succeeds(saying: /± [0-9.]+ bits per dimension/)
  }

  @Test func incompatibleOptionsAreRefused() async throws {
    let (vpSDE, fewSteps) = (try await Fixture.vpSDE.made, try await Fixture.fewSteps.made)
    try await Refusal(
      "\(Self.brief) --method bound --checkpoint \(vpSDE)", "bound requires one of the discrete processes vp and ve, ",
      " use ode"
    ).check()
    try await Refusal(
      "likelihood --count 20000 --method ode --checkpoint \(vpSDE)",
      "count is 20000, but shapes has only 10000 test images"
    ).check()
    try await Refusal(
      "\(Self.brief) --method bound --tolerance 0.1 --checkpoint \(fewSteps)",
      "probe and --tolerance are for --method ode"
    ).check()
  }
}
