import Foundation
import TestSupport
import Testing

/// `ddpm-mpi fid`: the distance between two sets of images.
struct DistanceCommandTests {
  private static var zero: Regex<Substring> { /(?m)^FID\[fashion-mnist-classifier\] -?0\.0000\ / }

  @Test func statisticsGiveTheSameDistanceAsImages() async throws {
    let images = try await EvaluationFixture.images.value
    let statistics = try await EvaluationFixture.statistics.value
    struct Report: Decodable {
      let countA: Int
      let countB: Int
      let featureHash: String
      let features: String
      let fid: Double
    }
    let shared = try await ddpm("fid \(images[0]) \(images[1]) --json", ranks: 2)
    let report = try shared.json(as: Report.self)
    #expect(report.countA == 90 && report.countB == 90 && report.features == "fashion-mnist-classifier")
    #expect(report.featureHash.wholeMatch(of: /[0-9a-f]{8}/) != nil)
    #expect(report.fid.isFinite)
    #expect(try await ddpm("fid \(statistics) \(images[1]) --json").output == shared.output)
    try await ddpm("fid \(statistics) \(statistics)").succeeds(saying: Self.zero)
    try await ddpm("fid \(images[0]) \(images[0])").succeeds(saying: Self.zero)
  }

  @Test func incomparableInputsAreRefused() async throws {
    let folder = try TemporaryFolder()
    let images = try await EvaluationFixture.images.value
    try await ddpm("fid \(folder)/none \(images[0])")
      .ends(2, saying: "none: there is no such file or folder; give a folder of PNG or JPEG images")
    try folder.write(Array("damaged\n".utf8), to: "damaged.npz")
    try await ddpm("fid \(folder)/damaged.npz \(images[0])").ends(2, saying: "damaged.npz")
    try await ddpm("fid \(images[0]) \(images[1]) --inception-weights \(folder)/damaged.npz").ends(
      2, saying: "inception-weights is for --features inception, and --features is fashion-mnist-classifier")
  }

  @Test func identicalImagesHaveADistance() async throws {
    let folder = try TemporaryFolder()
    let images = try await EvaluationFixture.images.value
    var random = TestRandom(state: 1)
    let image = random.bytes(32 * 32)
    for (name, count) in [("alike", 700), ("one", 1)] {
      try HDF5Contents.write(
        "images", Array(repeatElement(image, count: count).joined()), shape: [count, 32, 32, 1],
        to: folder.path("\(name).h5"))
    }
    try await ddpm("fid \(folder)/alike.h5 \(images[0])")
      .succeeds(saying: /(?m)^FID\[fashion-mnist-classifier\] [1-9]/)
    try await ddpm("fid \(folder)/alike.h5 \(folder)/alike.h5").succeeds(saying: Self.zero)
    try await ddpm("fid \(folder)/one.h5 \(images[0])")
      .ends(2, saying: "one.h5: a distance needs at least 2 images, but there is 1")
  }

  @Test func userDefinedFeaturesMeasureImages() async throws {
    let folder = try TemporaryFolder()
    let images = try await EvaluationFixture.images.value
    let (statistics, features) = (
      try await EvaluationFixture.statistics.value, try await EvaluationFixture.features.value
    )
    try await ddpm("fid \(images[0]) \(images[1]) --features \(features)").succeeds(saying: /(?m)^FID\[mine\]\ /)
    try await ddpm(
      "export --format features --name mine --checkpoint \(try await EvaluationFixture.classifier.made) \(features)"
    ).ends(2, saying: "mine.safetensors exists; use --force to replace it")
    try await ddpm("fid \(images[0]) \(statistics) --features \(features)").ends(
      2,
      saying:
        /\.npz: its statistics are of the features fashion-mnist-classifier, checksum .* but are compared with the features mine/
    )
    try await ddpm(
      """
      evaluate --checkpoint \(try await EvaluationFixture.run.made) --count 20 --steps 2 --measures fid
      --reference \(statistics) --features \(features)
      """
    ).ends(2, saying: ".npz: its statistics are of the features")
    let cut = try Data(contentsOf: URL(filePath: features)).prefix(5000)
    try folder.write(Array(cut), to: "cut.safetensors")
    try await ddpm("fid \(images[0]) \(images[1]) --features \(folder)/cut.safetensors")
      .ends(2, saying: "cut.safetensors")
  }
}
