import Foundation
import TestSupport
import Testing

struct ProcessTests {
  @Test(arguments: [Fixture.ve, .vpSDE, .veSDE, .subVPSDE, .edm])
  func everyProcessTrainsAndDraws(fixture: Fixture) async throws {
    let folder = try TemporaryFolder()
    try await fixture.log.succeeds(saying: "Done: 2 steps")
    try await ddpm("sample --checkpoint \(fixture.path) --steps 2 --count 1 --output \(folder)/image.h5")
      .succeeds(saying: "Wrote")
  }

  @Test func optionsOfOtherProcessesAreRefused() async throws {
    let nowhere = Fixture.nowhere
    let (vpSDE, edm) = (try await Fixture.vpSDE.made, try await Fixture.edm.made)
    let draw: Words = "sample --count 1 --output \(nowhere).h5"
    for refusal in [
      Refusal(
        "\(draw) --checkpoint \(vpSDE) --variance small",
        "--variance is small, which requires --sampler ddpm; --sampler is euler-maruyama"),
      Refusal(
        "\(draw) --checkpoint \(vpSDE) --sampler dpm-solver++ --spacing leading",
        "--spacing is leading, which requires diffusion.process vp and ve; diffusion.process is vp-sde"),
      Refusal(
        "\(draw) --checkpoint \(edm) --sampler ddim", "ddim needs a discrete process; ", " use euler-maruyama"),
    ] {
      try await refusal.check()
    }
    #expect(!FileManager.default.fileExists(atPath: nowhere + ".h5"))
  }

  @Test func aProcessOfFewStepsTrains() async throws {
    try await Fixture.fewSteps.log.succeeds(saying: "Done: 2 steps")
  }
}
