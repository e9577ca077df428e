import Foundation
import TestSupport
import Testing

/// `encode`, `decode` and `interpolate`.
struct LatentCommandTests {
  @Test func aRoundTripReturnsTheImages() async throws {
    let folder = try TemporaryFolder()
    let model = try await Fixture.vpSDE.made
    // With a network of two steps, the flow is steep.
    let exact: Words = "--tolerance 1e-7"
    try await ddpm(
      """
      encode --checkpoint \(model) --count 3 --output \(folder)/z.h5 --grid \(folder)/z.png \(exact)
      """, ranks: 2
    ).succeeds(saying: "Wrote")
    try await ddpm(
      "decode --checkpoint \(model) --latents \(folder)/z.h5 --output \(folder)/x.h5 --float \(exact)"
    ).succeeds(saying: "Wrote")
    let images = try HDF5Contents.read("images", of: folder.path("z.h5"), as: UInt8.self)
    let decoded = try HDF5Contents.read("images", of: folder.path("x.h5"), as: UInt8.self)
    #expect(images.shape == [3, 32, 32, 3] && decoded.shape == images.shape)
    // In units of 1/255.
    let largest = zip(images.elements, decoded.elements).map { abs(Int($0) - Int($1)) }.max()
    #expect(try #require(largest) <= 1)

    try await ddpm(
      """
      encode --checkpoint \(model) --count 3 --split training --tolerance 0.1 --output \(folder)/training.h5
      """
    ).succeeds(saying: "Wrote")
    #expect(try await !areEqual(folder.path("z.h5"), folder.path("training.h5"), "/images"), "another split")
  }

  @Test func pathsBetweenImagesDoNotDependOnTheRanks() async throws {
    let folder = try TemporaryFolder()
    let words: Words = """
      interpolate --checkpoint \(try await Fixture.vpSDE.made) --rows 2 --columns 3 --tolerance 0.01
      --grid \(folder)/i.png --float
      """
    try await ddpm("\(words) --output \(folder)/shared.h5", ranks: 2).succeeds(saying: "Wrote")
    try await ddpm("\(words) --output \(folder)/alone.h5 --batch 4").succeeds(saying: "Wrote")
    #expect(try await areEqual(folder.path("shared.h5"), folder.path("alone.h5"), "/samples"))
  }

  @Test func randomEndsNeedNoImages() async throws {
    let folder = try TemporaryFolder()
    try await ddpm(
      """
      interpolate --checkpoint \(try await Fixture.guided.made) --rows 2 --columns 2 --tolerance 0.1 --random
      --grid \(folder)/i.png
      """
    ).succeeds(saying: "Wrote")
  }

  @Test func missingOrInvalidInputsAreRefused() async throws {
    let folder = try TemporaryFolder()
    let (vpSDE, nowhere) = (try await Fixture.vpSDE.made, Fixture.nowhere)
    let zeros = [Float](repeating: 0, count: 2 * 32 * 32 * 3)
    try HDF5Contents.write("latents", zeros, shape: [2, 32, 32, 3], to: folder.path("latents.h5"))
    for refusal in [
      Refusal(
        "decode --checkpoint \(try await Fixture.guided.made) --latents \(folder)/latents.h5 --output \(nowhere).h5",
        "a dataset `labels`, int64 [N], is needed"),
      Refusal(
        "interpolate --checkpoint \(vpSDE) --columns 1 --grid \(nowhere).png",
        "columns is 1; it must be at least 2"),
      Refusal(
        "encode --checkpoint \(vpSDE) --count 1 --tolerance 0 --output \(nowhere).h5",
        "tolerance: 0.0 must be positive"),
    ] {
      try await refusal.check()
    }
    for ending in [".h5", ".png"] { #expect(!FileManager.default.fileExists(atPath: nowhere + ending)) }
  }
}
