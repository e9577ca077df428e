import Files
import Foundation
import TestSupport
import Testing
import Threads

@Suite struct HeartbeatLockTests {
  private let temporary: TemporaryFolder
  private var path: String { temporary.path(".held") }

  /// Short enough for a test. A living owner is seen within a beat; only a dead one takes all looks.
  private static let timing = HeartbeatLock.Timing(beat: .milliseconds(20), look: .milliseconds(20), patience: 10)
  /// The same, for an owner that is never asked twice on a busy machine.
  private static let patientTiming = HeartbeatLock.Timing(
    beat: .milliseconds(20), look: .milliseconds(20), patience: 10_000)

  init() throws { temporary = try TemporaryFolder() }

  private func lock(
    _ owner: String, timing: HeartbeatLock.Timing = HeartbeatLockTests.timing, note: (String) -> Void = { _ in },
    lost: @escaping @Sendable (String) -> Void = { _ in Issue.record("no other process took the lock") }
  ) throws(FileError) -> HeartbeatLock {
    try HeartbeatLock(path, owner: owner, timing: timing, note: note, lost: lost)
  }

  private func lines() throws -> [String] { try readText(at: path).split(separator: "\n").map(String.init) }

  /// Writes what an owner on another machine would.
  private func putOther(beat: Int) throws { try put(["job 7", "elsewhere/pid:[1] 12 345", "abc", "\(beat)"]) }
  private func put(_ lines: [String]) throws {
    try replaceFile(at: path, with: (lines.joined(separator: "\n") + "\n").utf8)
  }

  @Test func aSecondLockIsRefusedAndNamesTheOwner() throws {
    let first = try lock("job 7")
    let error = #expect(throws: FileError.self) { _ = try lock("job 8") }
    #expect(error?.description == "\(path) is locked by job 7")
    withExtendedLifetime(first) {}
  }

  @Test func aReleasedLockLeavesNothing() throws {
    try withExtendedLifetime(lock("job 7")) {}
    #expect(try temporary.names() == [])
    let second = try lock("job 8")
    #expect(try lines()[0] == "job 8")
    second.release()
    #expect(try temporary.names() == [])
  }

  @Test func theOwnerShowsThatItLives() throws {
    let owner = try lock("job 7")
    let first = try lines()
    var now = first
    let end = ContinuousClock.now + .seconds(60)
    while now == first && ContinuousClock.now < end { now = try lines() }
    #expect(now[3] > first[3])
    #expect(now[..<3] == first[..<3])
    owner.release()
  }

  @Test func aDeadOwnerOnThisMachineIsReplacedAtOnce() throws {
    let first = try lock("job 7")
    let record = try lines()
    first.release()
    let words = record[1].split(separator: " ").map(String.init)
    // A number that no process has, and this process's number as another process had it before.
    for process in ["\(words[0]) 4194305 \(words[2])", "\(words[0]) \(words[1]) \(words[2])0"] {
      try put([record[0], process, record[2], record[3]])
      var notes: [String] = []
      let second = try lock("job 8", timing: Self.patientTiming, note: { notes.append($0) })
      #expect(notes == ["job 7 held \(path) and is gone; taking the lock over."])
      #expect(try lines()[0] == "job 8")
      #expect(try temporary.names() == [".held"])
      second.release()
    }
  }

  @Test func anOwnerThatHasEndedButIsInTheTableIsReplacedAtOnce() throws {
    let first = try lock("job 7")
    let record = try lines()
    first.release()
    let machine = record[1].split(separator: " ")[0]
    // Until its parent waits for it, an ended process remains in the table.
    var child = pid_t()
    let name = strdup("true")
    defer { free(name) }
    try #require(posix_spawn(&child, "/bin/true", nil, nil, [name, nil], nil) == 0)
    defer { waitpid(child, nil, 0) }
    var fields: [Substring]
    repeat { fields = try text(at: "/proc/\(child)/stat").split(separator: " ") } while fields[2] != "Z"
    try put([record[0], "\(machine) \(child) \(fields[21])", record[2], record[3]])
    let second = try lock("job 8", timing: Self.patientTiming)
    #expect(try lines()[0] == "job 8")
    second.release()
  }

  @Test func aSilentOwnerElsewhereIsReplaced() throws {
    for content in [["job 7", "elsewhere/pid:[1] 12 345", "abc", "1"], ["half a rec"], [""]] {
      try put(content)
      var notes: [String] = []
      let second = try lock("job 8", note: { notes.append($0) })
      #expect(notes.count == 2 && notes[1] == "It has shown no sign of life; taking the lock over.")
      #expect(try lines()[0] == "job 8")
      #expect(try temporary.names() == [".held"])
      second.release()
    }
  }

  @Test func aLivingOwnerElsewhereIsLeftAlone() throws {
    try putOther(beat: 1)
    var notes: [String] = []
    let error = #expect(throws: FileError.self) {
      // The next beat comes while this process waits.
      _ = try lock(
        "job 8", timing: Self.patientTiming,
        note: { text in
          notes.append(text)
          try? putOther(beat: 2)
        })
    }
    #expect(error?.description == "\(path) is locked by job 7")
    #expect(notes.count == 1)
    #expect(try temporary.names() == [".held"])
  }

  @Test func whoeverReleasesMeanwhileMakesRoom() throws {
    try putOther(beat: 1)
    let second = try lock("job 8", timing: Self.patientTiming, note: { _ in unlink(path) })
    #expect(try lines()[0] == "job 8")
    second.release()
  }

  @Test func aTakeoverInProgressIsNotDisturbed() throws {
    try putOther(beat: 1)
    try temporary.write([], to: ".held.abc")
    let error = #expect(throws: FileError.self) { _ = try lock("job 8") }
    #expect(
      error?.description == "\(path) is being taken over by another process; if there is none, remove \(path).abc")
    #expect(try lines()[0] == "job 7")
  }

  @Test func anOwnerThatWasReplacedEnds() throws {
    for (isRemoved, change) in [(false, "is now the lock of job 7"), (true, "has been removed")] {
      let message = Monitor<String?>(nil)
      let first = try lock("job 6", lost: { text in message.update { $0 = text } })
      if isRemoved { unlink(path) } else { try putOther(beat: 1) }
      let text = message.wait(atMost: .seconds(60)) { $0 }
      #expect(text == "\(path) \(change), perhaps since this process could not renew it for too long")
      first.release()
      #expect(try temporary.names() == (isRemoved ? [] : [".held"]))
      unlink(path)
    }
  }

  @Test func linksAndPipesAreRefused() throws {
    try temporary.write([1], to: "theirs")
    symlink("theirs", path)
    #expect(throws: FileError.self) { _ = try lock("job 8") }
    #expect(try readBytes(at: temporary.path("theirs")) == [1])
    unlink(path)
    mkfifo(path, 0o600)
    #expect(throws: FileError.self) { _ = try lock("job 8") }
  }

  @Test func fileSystemsHereHaveLocks() throws {
    #expect(hasLocks(temporary.path))
    #expect(hasLocks(temporary.path("nothing")))
  }
}
