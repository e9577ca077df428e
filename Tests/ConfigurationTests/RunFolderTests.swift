import Configuration
import Foundation
import TestSupport
import Testing

private func touch(_ paths: String...) throws {
  for path in paths { try "".write(toFile: path, atomically: false, encoding: .utf8) }
}

private func message(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return "\(error)"
  }
}

@Suite struct RunFolderTests {
  @Test func pathsContainTheStepInEightDigits() {
    let folder = RunFolder("runs/a")
    #expect(folder.configurationPath == "runs/a/config.yaml")
    #expect(folder.metricsPath == "runs/a/metrics.jsonl")
    #expect(folder.journalPath == "runs/a/journal.jsonl")
    #expect(folder.tensorBoardPath == "runs/a/tensorboard")
    #expect(folder.reportPath == "runs/a/report.html")
    #expect(folder.checkpointPath(step: 100) == "runs/a/checkpoints/step-00000100.h5")
    #expect(folder.samplePath(step: 123_456_789) == "runs/a/samples/step-123456789.png")
  }

  @Test func freshFolderIsCreatedWithItsSubfolders() throws {
    try withTemporaryFolder { path in
      let folder = RunFolder(path + "/deep/run")
      try folder.createFolders(mustBeFresh: true)
      #expect(FileManager.default.fileExists(atPath: folder.checkpointsPath))
      #expect(FileManager.default.fileExists(atPath: folder.samplesPath))
      #expect(!folder.holdsRun)
      try folder.createFolders(mustBeFresh: true)
    }
  }

  @Test func folderThatContainsARunIsRefused() throws {
    try withTemporaryFolder { path in
      let folder = RunFolder(path)
      let expected = "\(path) already contains a run; continue it with --resume, or choose another folder with --output"
      try folder.createFolders(mustBeFresh: true)
      try folder.save(RunConfiguration())
      #expect(message { try folder.createFolders(mustBeFresh: true) } == expected)
      try FileManager.default.removeItem(atPath: folder.configurationPath)
      try touch(folder.checkpointPath(step: 1))
      #expect(message { try folder.createFolders(mustBeFresh: true) } == expected)
    }
  }

  @Test func samplesAreListedInTheOrderOfTheirSteps() throws {
    try withTemporaryFolder { path in
      let folder = RunFolder(path)
      #expect(try folder.samples().isEmpty)
      try folder.createFolders(mustBeFresh: true)
      let steps = [100_000_000, 20, 3]
      for step in steps { try touch(folder.samplePath(step: step)) }
      try touch(folder.samplesPath + "/step-1.png", folder.samplePath(step: 4) + ".17.partial")
      #expect(try folder.samples().map(\.step) == steps.sorted())
      #expect(try folder.samples().map(\.path) == steps.sorted().map(folder.samplePath))
    }
  }

  @Test func configurationIsReadBack() throws {
    try withTemporaryFolder { path in
      let folder = RunFolder(path)
      let configuration = try Presets.named("cifar10").configuration
      try folder.save(configuration)
      #expect(try folder.savedConfiguration() == configuration)
    }
  }

  @Test func folderThatCannotBeCreatedNamesPathAndReason() throws {
    try withTemporaryFolder { path in
      try touch(path + "/file")
      #expect(
        message { try RunFolder(path + "/file").createFolders(mustBeFresh: true) }
          == "cannot create the folder \(path)/file: a file is in its place")
    }
    #expect(
      message { try RunFolder("/proc/run").createFolders(mustBeFresh: true) }
        == "cannot create the folder /proc/run: No such file or directory")
  }

  @Test func checkpointsAreListedNewestFirstWithoutUnfinishedOnes() throws {
    try withTemporaryFolder { path in
      let folder = RunFolder(path)
      #expect(try folder.checkpoints().isEmpty)
      try folder.createFolders(mustBeFresh: false)
      try touch(
        folder.checkpointPath(step: 200), folder.checkpointPath(step: 1000), folder.checkpointPath(step: 100_000_000),
        folder.checkpointsPath + "/.step-00002000.h5.partial", folder.checkpointsPath + "/step-00003000.h5.partial",
        folder.checkpointsPath + "/step-latest.h5", folder.checkpointsPath + "/notes.txt")
      #expect(try folder.checkpoints().map(\.step) == [100_000_000, 1000, 200])
      #expect(try folder.checkpoints().map(\.path).last == folder.checkpointPath(step: 200))
    }
  }

  @Test func pruningKeepsTheNewest() throws {
    try withTemporaryFolder { path in
      let folder = RunFolder(path)
      try folder.createFolders(mustBeFresh: false)
      try touch(folder.checkpointPath(step: 1), folder.checkpointPath(step: 2), folder.checkpointPath(step: 3))
      try folder.pruneCheckpoints(keeping: 5)
      #expect(try folder.checkpoints().count == 3)
      try folder.pruneCheckpoints(keeping: 2)
      #expect(try folder.checkpoints().map(\.step) == [3, 2])
    }
  }

  @Test func unfinishedCheckpointsAreRemovedAndNothingElse() throws {
    try withTemporaryFolder { path in
      let folder = RunFolder(path)
      try folder.createFolders(mustBeFresh: false)
      let unfinished = folder.checkpointsPath + "/.step-00002000.h5.partial"
      try touch(folder.checkpointPath(step: 1), unfinished)
      try folder.removeUnfinishedCheckpoints()
      #expect(!FileManager.default.fileExists(atPath: unfinished))
      #expect(try folder.checkpoints().map(\.step) == [1])
    }
  }

  @Test func aRunThatDidNotStartLeavesNothing() throws {
    try withTemporaryFolder { path in
      let folder = RunFolder(path + "/runs/a")
      let refuse = { try RunFolderClaim(folder).take(mustBeFresh: true) }
      try refuse()
      #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [])
      try FileManager.default.createDirectory(atPath: path + "/runs", withIntermediateDirectories: true)
      try touch(path + "/runs/notes.txt")
      try refuse()
      #expect(try FileManager.default.contentsOfDirectory(atPath: path + "/runs") == ["notes.txt"])
    }
  }

  @Test func onlyTheJobThatHoldsTheLockIsWaitedFor() throws {
    try withTemporaryFolder { path in
      let folder = RunFolder(path)
      let lock = try folder.lock(note: { _ in })
      let refusal = message { _ = try folder.lock(note: { _ in }) }
      #expect(refusal?.hasSuffix("; wait for that job, or choose another folder with --output") == true)
      withExtendedLifetime(lock) {}
    }
    try withTemporaryFolder { path in
      try FileManager.default.createDirectory(atPath: path + "/.lock", withIntermediateDirectories: true)
      let refusal = message { _ = try RunFolder(path).lock(note: { _ in }) }
      #expect(refusal?.hasPrefix("\(path) cannot be trained in: ") == true)
      #expect(refusal?.contains("wait for") == false)
    }
  }

  @Test func aStartedRunKeepsItsConfiguration() throws {
    try withTemporaryFolder { path in
      let folder = RunFolder(path + "/run")
      do {
        let claim = RunFolderClaim(folder)
        try claim.take(mustBeFresh: true)
        #expect(
          message { try RunFolderClaim(folder).take(mustBeFresh: false) }?.contains("cannot be trained in") == true)
        #expect(!folder.holdsRun)
        try claim.begin(RunConfiguration())
      }
      #expect(folder.holdsRun)
      #expect(try folder.savedConfiguration() == RunConfiguration())
      // A resume that is refused changes nothing.
      try RunFolderClaim(folder).take(mustBeFresh: false)
      #expect(try folder.savedConfiguration() == RunConfiguration())
      #expect(FileManager.default.fileExists(atPath: folder.samplesPath))
    }
  }
}
