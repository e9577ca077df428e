import Testing

struct PresetCommandTests {
  @Test func presetsReportTheFiguresOfTheirPapers() async throws {
    try await ddpm("presets").succeeds(saying: "table 3: FID 2.38")
  }

  @Test func aPresetIsPrintedAsAConfiguration() async throws {
    try await ddpm("presets cifar10-ncsnpp-ve").succeeds(saying: /(?m)^  scale_by_sigma: true$/)
    try await ddpm("presets shapes").succeeds(saying: /(?m)^  name: shapes$/)
  }

  @Test func eachPresetIsListedOnceAsJSON() async throws {
    struct Entry: Decodable { let name: String }
    let names = try await ddpm("presets --json").json(as: [Entry].self).map(\.name)
    #expect(names.contains("cifar10-edm"))
    #expect(Set(names).count == names.count)
    #expect(names.count >= 12)
  }

  @Test func aPresetMayBeMadeSmallForABenchmark() async throws {
    try await ddpm(
      """
      benchmark --preset cifar10-ncsnpp-ve --set model.channels=16 --set model.blocks=1 --batch 2 --steps 1 --json
      """
    ).succeeds(saying: "images_per_second_median")
  }
}
