import Diffusion
import TestSupport
import Testing

/// Every sampler, with the same result on two ranks as on one, with and without guidance.
struct SamplerTests {
  static let names = SamplerName.allCases.map(\.rawValue)

  private func brief(_ sampler: String, tolerance: Words = "") -> Words {
    sampler == "ode-rk45" ? "--sampler \(sampler) \(tolerance)" : "--sampler \(sampler) --steps 2"
  }

  private static var evaluations: Regex<Substring> { /evaluations? of the network/ }

  @Test func allAreListed() async throws {
    let list = try await ddpm("samplers").succeeds()
    #expect(list.lines.compactMap { $0.prefixMatch(of: /[a-z][^ ]*/)?.output }.map(String.init) == Self.names)
  }

  @Test(arguments: names)
  func anImageDependsOnlyOnItsNumber(sampler: String) async throws {
    let folder = try TemporaryFolder()
    let draw: Words = "sample --checkpoint \(try await Fixture.run.made) \(brief(sampler)) --count 3 --float"
    try await ddpm("\(draw) --output \(folder)/alone.h5").succeeds(saying: Self.evaluations)
    try await ddpm("\(draw) --batch 1 --output \(folder)/shared.h5", ranks: 2).succeeds(saying: Self.evaluations)
    #expect(try await areEqual(folder.path("alone.h5"), folder.path("shared.h5"), "/samples"))
    #expect(try HDF5Contents.has("latents", in: folder.path("alone.h5")), "--float keeps the latents")
  }

  @Test(arguments: names)
  func guidanceWorksWithAnySampler(sampler: String) async throws {
    let folder = try TemporaryFolder()
    let draw: Words = """
      sample \(brief(sampler, tolerance: "--tolerance 0.01")) --count 1 --guidance 0.5 --output \(folder)/image.h5
      """
    let (learned, classifier) = (try await Fixture.learnedVariance.made, try await Fixture.classifier.made)
    try await ddpm("\(draw) --checkpoint \(learned) --classifier \(classifier)").succeeds(saying: Self.evaluations)
    try await ddpm("\(draw) --checkpoint \(try await Fixture.guided.made) --class 2").succeeds(saying: Self.evaluations)
  }
}
