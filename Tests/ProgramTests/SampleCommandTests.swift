import Diffusion
import Foundation
import Images
import TestSupport
import Testing

struct SampleCommandTests {
  /// The latents of two images, approximately normal.
  private func writeLatents(to path: String) throws {
    var random = TestRandom(state: 1)
    let values = (0..<2 * 32 * 32 * 3).map { _ in
      Float((0..<4).map { _ in Double.random(in: 0...1, using: &random) }.reduce(-2, +))
    }
    try HDF5Contents.write("latents", values, shape: [2, 32, 32, 3], to: path)
  }

  /// The arguments for drawing from the shared run in three steps.
  private func sample() async throws -> Words { "sample --checkpoint \(try await Fixture.run.made) --steps 3" }

  @Test func imagesAreBytesAndTheGridShowsThem() async throws {
    let folder = try TemporaryFolder()
    let run = try await ddpm(
      "\(try await sample()) --count 3 --output \(folder)/a.h5 --grid \(folder)/a.png", ranks: 2)
    run.succeeds(saying: "Wrote")
    #expect(try HDF5Contents.read("images", of: folder.path("a.h5"), as: UInt8.self).shape == [3, 32, 32, 3])
    let sheet = try ImageReader().read(folder.path("a.png"))
    #expect(sheet.shape == [70, 70, 3])
  }

  @Test func latentsDetermineTheImagesOnAnyNumberOfRanks() async throws {
    let folder = try TemporaryFolder()
    let (sample, latents) = (try await sample(), folder.path("latents.h5"))
    try writeLatents(to: latents)
    func draw(_ name: String, _ words: Words, ranks: Int? = nil) async throws -> String {
      try await ddpm("\(sample) --count 2 \(words) --output \(folder)/\(name).h5", ranks: ranks)
        .succeeds(saying: "Wrote")
      return folder.path(name + ".h5")
    }
    let alone = try await draw("alone", "--latents \(latents)")
    let shared = try await draw("shared", "--latents \(latents)", ranks: 2)
    #expect(try await areEqual(alone, shared, "/images"))
    let ordinary = try await draw("ordinary", "")
    #expect(try await !areEqual(alone, ordinary, "/images"), "latents matter")
    let last = try await draw("last", "--latents \(latents) --weights model")
    #expect(try await !areEqual(alone, last, "/images"), "the last weights are not their average")
    let average = try await draw("average", "--weights 0.99")
    #expect(try await areEqual(ordinary, average, "/images"), "an average is found by its decay")

    // The latents of an image are a row of the file.
    try await ddpm("\(sample) --latents \(latents) --first 1 --count 1 --output \(folder)/second.h5")
      .succeeds(saying: "Wrote")
    let both = try HDF5Contents.read("images", of: alone, as: UInt8.self)
    let second = try HDF5Contents.read("images", of: folder.path("second.h5"), as: UInt8.self)
    #expect(Array(both[row: 1]) == second.elements)

    let output: Words = "--output \(folder)/refused.h5"
    try await ddpm("\(sample) --count 3 --latents \(latents) \(output)")
      .ends(2, saying: "float32 [2, 32, 32, 3], but float32 [3, 32, 32, 3] is needed")
    try await ddpm("\(sample) --count 2 --latents \(folder)/none.h5 \(output)")
      .ends(2, saying: "there is no such file")
    try await ddpm("\(sample) --count 2 --latents \(ordinary) \(output)").ends(
      2, saying: "it has no dataset `latents`")
    try await Refusal(
      "\(sample) --first 1 --count 2 --latents \(latents) \(output)",
      "float32 [2, 32, 32, 3], but float32 [3, 32, 32, 3] or more is needed"
    ).check()
    #expect(!FileManager.default.fileExists(atPath: folder.path("refused.h5")))
  }

  @Test func modelDrawsByItsKeysUnlessOptionsOverrideThem() async throws {
    let folder = try TemporaryFolder()
    let keys: Words = """
      --set training.steps=2 --set sampling.sampler=ddim --set sampling.eta=0.5 --set sampling.spacing=trailing
      """
    try await ddpm("train \(Fixture.tiny) \(keys) --output \(folder)/run").succeeds(saying: "Done: 2 steps")
    let draw: Words = "sample --checkpoint \(folder)/run --count 2"
    for (name, options) in [
      ("keys", ""), ("options", "--sampler ddim --eta 0.5 --spacing trailing"), ("other", "--eta 0"),
    ] as [(String, Words)] {
      try await ddpm("\(draw) \(options) --output \(folder)/\(name).h5").succeeds(saying: "by ddim in 2 steps")
    }
    #expect(try await areEqual(folder.path("keys.h5"), folder.path("options.h5"), "/images"))
    #expect(try await !areEqual(folder.path("keys.h5"), folder.path("other.h5"), "/images"))
    // Settings that only the run's own sampler uses do not matter.
    try await ddpm("\(draw) --sampler ode-rk45 --tolerance 0.1 --output \(folder)/solved.h5")
      .succeeds(saying: "by ode-rk45")
    try await Refusal(
      "train \(Fixture.tiny) \(keys) --set sampling.churn=1 --output \(Fixture.nowhere)",
      "sampling.churn is 1.0, which requires sampling.sampler edm; sampling.sampler is ddim"
    ).check()
    try await Refusal(
      "train \(Fixture.tiny) --set diffusion.process=vp-sde --set sampling.sampler=ddim --output \(Fixture.nowhere)",
      "sampling.sampler: ddim needs a discrete process"
    ).check()
  }

  @Test func invalidRequestsAreRefused() async throws {
    let folder = try TemporaryFolder()
    let (run, nowhere) = (try await Fixture.run.made, Fixture.nowhere)
    try folder.createFolder("images")
    try folder.write([0], to: "images/file")
    let one: Words = "sample --checkpoint \(run) --count 1"
    let toFile: Words = "\(one) --output \(nowhere).h5"
    for refusal in [
      Refusal("\(toFile) --weights 0.5", "--weights 0.5: ", " has no average with this decay; it has 0.99"),
      Refusal("sample --checkpoint \(nowhere) --count 1 --output \(nowhere).h5", "there is no such file or folder"),
      Refusal("\(toFile) --steps 1001", "the process has 1000, so give 1 to 1000"),
      Refusal("\(toFile) --eta 1", "--eta is 1.0, which requires --sampler ddim; --sampler is ddpm"),
      Refusal(
        "\(toFile) --snr 0.1",
        "--snr is 0.1, which requires --sampler predictor-corrector and langevin; --sampler is ddpm"),
      Refusal("\(toFile) --churn 1", "--churn is 1.0, which requires --sampler edm; --sampler is ddpm"),
      Refusal(
        "\(toFile) --sampler edm --churn 1 --churn-min 2 --churn-max 1",
        "churn-min: 2.0 must not be negative or above the maximum level, 1.0"),
      Refusal("\(toFile) --sampler ddim --eta 1.5", "invalid for '--eta <x>': it must be from 0.0 to 1.0"),
      Refusal(
        "\(toFile) --sampler ode-heun --spacing trailing",
        "--spacing is trailing, which requires --sampler ddpm, ddim and dpm-solver++; --sampler is ode-heun"),
      Refusal(
        "\(toFile) --sampler edm --churn-max 1", "--churn-max is 1.0, which requires --churn above 0; --churn is 0.0"),
      Refusal(
        "\(toFile) --sampler ode-rk45 --tolerance -1", "'-1' is invalid for '--tolerance <x>': it must be above 0.0"),
      Refusal(
        "\(toFile) --sampler ode-rk45 --steps 3", "--steps is 3, which requires --sampler ", "; --sampler is ode-rk45"),
      Refusal(
        "\(one) --sampler ode-rk45 --every 2 --grid \(nowhere).png",
        "every: ode-rk45 chooses its steps by the error"),
      Refusal("\(one)", "Nothing would be written"),
      Refusal("\(toFile) --every 2", "every needs --grid or --images"),
      Refusal("\(one) --images \(folder)/images", "images is not empty"),
      Refusal(
        "sample --checkpoint \(run) --first 4294967295 --count 2 --output \(nowhere).h5",
        "count is 2; it must be at most 1"),
      Refusal("\(one) --output \(nowhere)/none/c.h5", "cannot write ", "/none/c.h5"),
    ] {
      try await refusal.check()
    }
    for ending in ["", ".h5", ".png"] { #expect(!FileManager.default.fileExists(atPath: nowhere + ending)) }
  }

  @Test func samplerOptionsDetermineTheEvaluations() async throws {
    let folder = try TemporaryFolder()
    let draw: Words = "sample --checkpoint \(try await Fixture.run.made) --steps 2 --count 1 --output \(folder)/c.h5"
    try await ddpm("\(draw) --sampler edm --churn 40 --churn-min 0.05 --churn-max 50 --churn-noise 1.003")
      .succeeds(saying: "3 evaluations")
    try await ddpm("\(draw) --sampler predictor-corrector --corrections 2 --snr 0.1").succeeds(
      saying: "6 evaluations")
  }

  @Test func memoryDoesNotGrowWithTheNumberOfImages() async throws {
    let folder = try TemporaryFolder()
    let log = folder.path("log")
    let words = Words([Place.program] + (try await sample()).list)
    _ = try await withRunning("\(words) --count 10000000 --grid \(folder)/many.png", log: log) { process in
      defer { kill(process, SIGKILL) }
      while try !text(at: log).contains("Drawing") {
        guard isRunning(process) else {
          Issue.record("it ended: \(try text(at: log))")
          return
        }
        try await Task.sleep(for: .milliseconds(50))
      }
      // Long enough for several batches.
      let beginning = processorSeconds(of: process)
      while processorSeconds(of: process) < beginning + 1 {
        guard isRunning(process) else {
          Issue.record("it ended: \(try text(at: log))")
          return
        }
        try await Task.sleep(for: .milliseconds(50))
      }
      #expect(try #require(peakMemory(of: process)) < 1_000_000)
    }
  }
}
