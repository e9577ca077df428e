import Foundation
import TestSupport
import Testing

struct DamagedCheckpointTests {
  private static let newest = "checkpoints/step-00000004.h5"

  /// A copy of the shared run, whose newest checkpoint `damage` changes.
  private func damagedRun(
    in folder: TemporaryFolder, _ damage: (inout Data) throws -> Void
  ) async throws -> String {
    let run = folder.path("run")
    try FileManager.default.copyItem(atPath: try await Fixture.run.made, toPath: run)
    var bytes = try Data(contentsOf: URL(filePath: "\(run)/\(Self.newest)"))
    try damage(&bytes)
    try bytes.write(to: URL(filePath: "\(run)/\(Self.newest)"))
    return run
  }

  @Test func anIntactCheckpointIsReportedAsWhole() async throws {
    let run = try await Fixture.run.made
    try await ddpm("inspect \(run)/\(Self.newest)").succeeds(saying: /\/optimizer\/second_moment: .* whole/)
    try await ddpm("inspect \(run)").ends(4, saying: "it is a folder, not a file")
    try await ddpm("inspect \(Fixture.nowhere).h5").ends(4, saying: "there is no such file")
  }

  @Test func aFlippedByteIsFoundInItsTensor() async throws {
    let folder = try TemporaryFolder()
    let whole = "\(try await Fixture.run.made)/\(Self.newest)"
    let offset = try #require(try HDF5Contents.offset(of: "model/conv_in.weight", in: whole))
    let run = try await damagedRun(in: folder) { $0[offset + 3] ^= 0xFF }
    let inspection = try await ddpm("inspect \(run)/\(Self.newest)").ends(4, saying: "DAMAGED: model/conv_in.weight")
    #expect(
      inspection.messages.contains {
        $0.contains(/ddpm-mpi: .*step-00000004\.h5: tensor model\/conv_in\.weight is damaged/)
      })
  }

  @Test func aTruncatedFileIsRefused() async throws {
    let folder = try TemporaryFolder()
    let run = try await damagedRun(in: folder) { $0 = $0.prefix(200_000) }
    let cut = "\(run)/\(Self.newest)"
    try await ddpm("inspect \(cut)").ends(4, saying: "step-00000004.h5: ")
    try await ddpm("sample --checkpoint \(cut) --count 1 --output \(folder)/c.h5").ends(4, saying: "step-00000004.h5: ")
    try folder.write(Array("no checkpoint".utf8), to: "text")
    try await ddpm("inspect \(folder)/text").ends(4, saying: "this is not an HDF5 file")
  }

  @Test func newestIntactCheckpointIsUsed() async throws {
    let folder = try TemporaryFolder()
    let run = try await damagedRun(in: folder) { $0 = $0.prefix(200_000) }
    try await ddpm("sample --checkpoint \(run) --steps 3 --count 1 --output \(folder)/d.h5")
      .succeeds(saying: /Drawing 1 image from .*step-00000003\.h5/)
    try await ddpm("train --resume --output \(run)", ranks: 2).succeeds(saying: "step-00000003.h5, step 3")
    for name in try folder.names(in: "run/checkpoints") {
      try folder.write(Array("no checkpoint".utf8), to: "run/checkpoints/\(name)")
    }
    try await ddpm("train --resume --output \(run)", ranks: 2)
      .ends(4, saying: /none of the 3 checkpoints in .* is intact/)
  }
}
