import Foundation
import TestSupport
import Testing

/// Rank 1 sees or is given something other than rank 0, or is killed.
struct DifferingRanksTests {
  private static let tiny = Fixture.tiny
  private static let nowhere = Fixture.nowhere

  /// Runs the program on two ranks, the second of which has its own folder and arguments: it must be refused with one
  /// message that names this rank.
  private func isRefused(
    _ words: Words, with text: any RegexComponent, rankOne: Words = "", elsewhere: String = ".",
    in folder: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    // The arguments of each rank's shell: rank 1's folder, the number of its own arguments, these, and the command.
    let script = """
      elsewhere=$1 count=$2; shift 2
      own=; for index in $(seq "$count"); do own="$own $1"; shift; done
      [ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" = 1 ] || exec "$@"
      cd "$elsewhere" && exec "$@" $own
      """
    let launcher = [Place.mpirun, "2", "sh", "-c", script, "sh", elsewhere, "\(rankOne.list.count)"]
    let run = try await command(Words(launcher + rankOne.list + [Place.program] + words.list), in: folder)
    run.ends(2, saying: "rank 1: ", text, sourceLocation: sourceLocation)
    #expect(run.messages.count == 1, "\(run)", sourceLocation: sourceLocation)
    #expect(run.messages.first?.contains("rank 1: ") == true, "\(run)", sourceLocation: sourceLocation)
  }

  @Test func errorsOnRankOneAreReportedOnceWithTheRank() async throws {
    let (tiny, nowhere) = (Self.tiny, Self.nowhere)
    try await isRefused(
      "train --output \(nowhere)", with: /rank 1: .*neither it nor its \.gz exists/,
      rankOne: "--set data.path=\(nowhere)-data")
    try await isRefused(
      "train \(tiny) --output \(nowhere)",
      with: "its configuration differs from that of rank 0: training.learning_rate is 0.5 there but 0.001 on rank 0",
      rankOne: "--set training.learning_rate=0.5")
    try await isRefused(
      "train \(tiny) --output \(nowhere)", with: "rank 1: Unknown option '--nonsense'", rankOne: "--nonsense")
    try await isRefused(
      "train \(tiny) --output \(nowhere)", with: "rank 1: its --output differs from that of rank 0",
      rankOne: "--output \(nowhere)-1")
    try await isRefused(
      "train \(tiny) --output \(nowhere)", with: "rank 1: its --resume differs from that of rank 0 ",
      rankOne: "--resume")
    try await isRefused(
      "sample --checkpoint \(try await Fixture.run.made) --count 1 --output \(nowhere).h5",
      with: "rank 1: its command line differs from that of rank 0 ", rankOne: "--seed 1")
    for path in [nowhere, nowhere + "-1", nowhere + ".h5"] {
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }

  @Test func unsharedFoldersAreRefused() async throws {
    let folder = try TemporaryFolder()
    try folder.createFolder("elsewhere")
    try await isRefused(
      "train \(Self.tiny) --output alone",
      with: /rank 1: on host .* the folder alone does not show the files that rank 0 writes/, elsewhere: "elsewhere",
      in: folder.path)
  }

  @Test func aKilledRankEndsTheJob() async throws {
    let folder = try TemporaryFolder()
    let run = folder.path("killed")
    let job = Words([Place.mpirun, "3", Place.program])
    let status = try await withRunning(
      "\(job) train \(Self.tiny) --set training.steps=100000 --output \(run)", log: folder.path("log")
    ) { process in
      while !FileManager.default.fileExists(atPath: run + "/checkpoints/step-00000002.h5") {
        guard isRunning(process) else {
          Issue.record("the job ended: \(try text(at: folder.path("log")))")
          return
        }
        try await Task.sleep(for: .milliseconds(50))
      }
      let ranks = processes { $0.first == Place.program && $0.contains(run) }
      #expect(ranks.count == 3)
      kill(try #require(ranks.max()), SIGKILL)
    }
    #expect(status != 0)
  }
}
