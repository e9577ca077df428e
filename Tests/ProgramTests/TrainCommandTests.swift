import Foundation
import Images
import TestSupport
import Testing

struct TrainCommandTests {
  @Test func aRunWritesTheDocumentedFiles() async throws {
    let run = try await Fixture.run.made
    let log = try await Fixture.run.log.succeeds(saying: "step 4/4")
    #expect(log.lines.count { $0.hasPrefix("step ") } == 2, "a line at each interval only")
    #expect(!log.text.contains { $0 == "\r" || $0 == "\u{1B}" }, "control characters in a log")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: run + "/checkpoints").sorted() == [
        "step-00000002.h5", "step-00000003.h5", "step-00000004.h5",
      ])
    // Two rows of two cells of 34 pixels, and a margin.
    #expect(try ImageReader().read(run + "/samples/step-00000004.png").shape == [70, 70, 3])
  }

  @Test func metricsHaveTheirKeys() async throws {
    let lines = try jsonLines(at: try await Fixture.run.made + "/metrics.jsonl", as: [String: Double].self)
    #expect(lines.map { $0["step"] } == [2, 4])
    for line in lines {
      #expect(
        Set(line.keys) == [
          "step", "images", "loss", "gradient_norm", "learning_rate", "images_per_second", "seconds",
        ])
    }
    #expect(lines.last?["images"] == 16)
  }

  @Test func configurationOfARunReproducesIt() async throws {
    let folder = try TemporaryFolder()
    let run = try await Fixture.run.made
    try await ddpm("train --config \(run)/config.yaml --output \(folder)/again").succeeds(saying: "step 4/4")
    #expect(
      try await areEqual(
        run + "/checkpoints/step-00000004.h5", folder.path("again/checkpoints/step-00000004.h5")))
  }

  @Test func convolutionMethodIsKeptOnResume() async throws {
    let folder = try TemporaryFolder()
    let run = try await Fixture.run.made
    let message = "parameters, direct convolutions"
    try await ddpm("train \(Fixture.tiny) --convolution direct --output \(folder)/direct", ranks: 2)
      .succeeds(saying: message)
    #expect(try text(at: folder.path("direct/config.yaml")).contains("convolution: direct"))
    try await ddpm("train --resume --output \(folder)/direct").succeeds(saying: message)

    let checkpoint = "checkpoints/step-00000004.h5"
    #expect(try await !areEqual("\(run)/\(checkpoint)", folder.path("direct/\(checkpoint)"), "/model"))
    let losses = try [run, folder.path("direct")].map {
      try jsonLines(at: $0 + "/metrics.jsonl", as: [String: Double].self).map { try #require($0["loss"]) }
    }
    #expect(losses[0] != losses[1])
    for (winograd, direct) in zip(losses[0], losses[1]) { #expect(abs(winograd - direct) < 1e-4 * winograd) }
  }

  @Test func disabledOutputsAreNotWritten() async throws {
    let folder = try TemporaryFolder()
    let run = try await Fixture.run.made
    try await ddpm(
      """
      train \(Fixture.tiny) --set training.sample_every=none --set training.checkpoint_every=none
      --set training.keep_checkpoints=all --set training.log_every=none --set training.hang_timeout_seconds=none
      --set training.save_timeout_seconds=none --output \(folder)/quiet
      """, ranks: 2
    ).succeeds(saying: "Done")
    #expect(try folder.names(in: "quiet/checkpoints") == ["step-00000004.h5"], "the last checkpoint stays")
    #expect(try folder.names(in: "quiet/samples").isEmpty)
    let metrics = try jsonLines(at: folder.path("quiet/metrics.jsonl"), as: [String: Double].self)
    #expect(metrics.map { $0["step"] } == [4])
    #expect(
      try await areEqual(
        run + "/checkpoints/step-00000004.h5", folder.path("quiet/checkpoints/step-00000004.h5"), "/model"))
  }

  @Test(arguments: [
    Words("--set diffusion.schedule=cosine --set diffusion.prediction=velocity --set diffusion.loss=min-snr")
  ])
  func otherObjectivesTrain(keys: Words) async throws {
    let folder = try TemporaryFolder()
    try await ddpm("train \(Fixture.tiny) \(keys) --set training.steps=2 --output \(folder)/run")
      .succeeds(saying: "Done: 2 steps")
  }

  /// Names that an MPI library might take for a file system, and names of a single character.
  @Test func namesThatMPILibrariesMightMisreadAreWritten() async throws {
    let folder = try TemporaryFolder()
    try await ddpm("train \(Fixture.tiny) --set training.steps=1 --output nfs:run", in: folder.path)
      .succeeds(saying: "Done: 1 step")
    #expect(FileManager.default.fileExists(atPath: folder.path("nfs:run/checkpoints/step-00000001.h5")))
    let run = try await Fixture.run.made
    try await ddpm("sample --checkpoint \(run) --steps 1 --count 1 --output s", in: folder.path)
      .succeeds(saying: "Wrote s")
  }
}
