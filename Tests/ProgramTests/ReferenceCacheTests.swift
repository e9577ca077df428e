import Foundation
import TestSupport
import Testing

/// The cache of a reference, so that its images are read only once.
struct ReferenceCacheTests {
  @Test func cachedStatisticsGiveTheSameFigures() async throws {
    let folder = try TemporaryFolder()
    let cached: Words = "\(try await EvaluationFixture.evaluate) --reference-cache \(folder)/kept"
    let figures = try await EvaluationFixture.figures.value.output
    try await ddpm(cached, ranks: 2).succeeds(
      saying: /The statistics of the reference, 60 training images .* are cached in .*\/kept\/.*-60\.npz/)
    #expect(try folder.names(in: "kept").count == 2)
    for ranks in [1, 3] {
      try await ddpm(cached, ranks: ranks).succeeds(
        saying:
          /The statistics of the reference, 60 training images of fashion-mnist, are taken from the cache in .*\/kept/
      )
      #expect(try await ddpm("\(cached) --json", ranks: ranks).output == figures)
    }
    try await ddpm("\(cached) --reference-count 50").succeeds(saying: /are cached in .*-50\.npz/)
    try await ddpm("\(cached) --split test").succeeds(saying: /are cached in .*-test-60\.npz/)

    let statistics = try #require(try folder.names(in: "kept").first { $0.hasSuffix("-training-60.npz") })
    try await ddpm("fid --json \(folder)/kept/\(statistics) \(folder)/kept/\(statistics)")
      .succeeds(saying: "\"count_b\":60")

    for name in try folder.names(in: "kept") where name.contains("-training-60.") {
      let file = URL(filePath: folder.path("kept/\(name)"))
      let whole = try Data(contentsOf: file)
      var flipped = whole
      for offset in 5000..<5002 { flipped[offset] ^= 0x55 }
      for damaged in [flipped, whole.prefix(5000), Data()] {
        try damaged.write(to: file)
        let run = try await ddpm(cached).succeeds()
        #expect(
          run.lines.contains {
            $0.contains("warning: ") && $0.contains("\(name): ") && $0.hasSuffix("; the statistics are computed again")
          }, "\(run)")
        #expect(try Data(contentsOf: file) == whole, "written as it was")
      }
    }
    #expect(try await ddpm("\(cached) --json").output == figures)
  }

  @Test func withoutACacheItIsNotMentioned() async throws {
    let run = try await ddpm(try await EvaluationFixture.evaluate, environment: EvaluationFixture.noCache)
    run.succeeds(saying: /(?m)^FID/)
    #expect(!run.says("reference, 60"))
  }

  @Test func aCacheThatCannotBeWrittenIsAWarning() async throws {
    let folder = try TemporaryFolder()
    try folder.write([], to: "file")
    try await ddpm("\(try await EvaluationFixture.evaluate) --reference-cache \(folder)/file/in")
      .succeeds(saying: "warning: the statistics of the reference could not be cached: ")
  }
}
