import Foundation
import TestSupport
import Testing

/// Drawing with classes, learned variances and guidance.
struct GuidanceTests {
  private static let draw: Words = "sample --steps 2 --count 3"

  @Test func guidedImagesDoNotDependOnTheRanks() async throws {
    let folder = try TemporaryFolder()
    let model = try await Fixture.guided.made
    let draw: Words = "\(Self.draw) --checkpoint \(model) --guidance 1.5 --classes 4,none --float"
    try await ddpm("\(draw) --output \(folder)/shared.h5", ranks: 2).succeeds(saying: "4 evaluations")
    try await ddpm("\(draw) --batch 2 --output \(folder)/alone.h5").succeeds(saying: "4 evaluations")
    #expect(try await areEqual(folder.path("shared.h5"), folder.path("alone.h5"), "/samples"))
    try await ddpm("\(Self.draw) --checkpoint \(model) --class 4 --variance small --output \(folder)/c.h5")
      .succeeds(saying: "2 evaluations")
  }

  @Test func negativeGuidanceMovesImages() async throws {
    let folder = try TemporaryFolder()
    let model = try await Fixture.guided.made
    try await ddpm("\(Self.draw) --checkpoint \(model) --output \(folder)/plain.h5").succeeds(saying: "2 evaluations")
    #expect(try HDF5Contents.read("labels", of: folder.path("plain.h5"), as: Int64.self).elements == [0, 1, 2])
    try await ddpm("\(Self.draw) --checkpoint \(model) --guidance -1 --output \(folder)/away.h5")
      .succeeds(saying: "4 evaluations")
    #expect(try await !areEqual(folder.path("plain.h5"), folder.path("away.h5"), "/images"))
  }

  @Test func aClassifierGuidesAModelOfItsProcess() async throws {
    let folder = try TemporaryFolder()
    let (model, classifier) = (try await Fixture.edm.made, try await Fixture.classifierEDM.made)
    try await ddpm(
      "\(Self.draw) --checkpoint \(model) --classifier \(classifier) --sampler edm --output \(folder)/image.h5"
    ).succeeds(saying: "Wrote")
  }

  @Test func incompatibleOptionsAreRefused() async throws {
    let draw: Words = "\(Self.draw) --output \(Fixture.nowhere).h5 --checkpoint"
    let (guided, edm) = (try await Fixture.guided.made, try await Fixture.edm.made)
    let alwaysConditioned = try await Fixture.alwaysConditioned.made
    for refusal in [
      Refusal(
        "\(draw) \(edm) --guidance 1", "guidance: the model was trained without classes; ", ", or use --classifier"
      ),
      Refusal("\(draw) \(edm) --class 1", "class: the model was trained without classes"),
      Refusal("\(draw) \(guided) --class 5", "class: there is no class 5; the classes are 0 to 4"),
      Refusal("\(draw) \(alwaysConditioned) --guidance 1", "guidance: the model was always conditioned on the class"),
      Refusal("\(draw) \(guided) --guidance nan", "'nan' is invalid for '--guidance <g>': expected a number"),
      Refusal("\(draw) \(guided) --class x", "'x' is invalid for '--class"),
      Refusal("\(draw) \(guided) --class 1 --classes 1,2", "--class and --classes exclude each other"),
      Refusal(
        "\(draw) \(alwaysConditioned) --variance learned-range",
        "variance: learned-range needs a model that was trained with diffusion.variance=learned-range"),
      Refusal(
        "\(draw) \(guided) --sampler ddim --variance small",
        "--variance is small, which requires --sampler ddpm; --sampler is ddim"),
      Refusal("\(draw) \(try await Fixture.classifier.made)", "this is a classifier, which draws no images"),
      Refusal("\(draw) \(guided) --classifier \(guided)", "this is not a classifier"),
      Refusal(
        "\(draw) \(guided) --classifier \(try await Fixture.classifierVPSDE.made)",
        "trained with diffusion.process=vp-sde, but the model was trained with vp"),
    ] {
      try await refusal.check()
    }
    #expect(!FileManager.default.fileExists(atPath: Fixture.nowhere + ".h5"))
  }
}
