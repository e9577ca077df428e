import Files
import Foundation
import Logging
import Reporting
import TestSupport
import Testing

@Suite struct JournalTests {
  private let job = JournalEntry.Job(
    version: "1", ranks: 2, threadsPerRank: 3, hosts: 1, steps: 200, parameters: 5, data: "shapes", images: 10)

  @Test func entryIsAJSONObjectThatReadsBack() {
    let entry = JournalEntry(.stop, step: 7, time: Date(timeIntervalSince1970: 0), reason: "since \"a/b\"")
    #expect(
      entry.json == #"{"event":"stop","reason":"since \"a/b\"","step":7,"time":"1970-01-01T00:00:00Z"}"#)
    #expect(JournalEntry(line: entry.json.utf8) == entry)
    let start = JournalEntry(.start, step: 0, time: Date(timeIntervalSince1970: 60), job: job)
    #expect(start.json.contains("\"threads_per_rank\":3"))
    #expect(JournalEntry(line: start.json.utf8) == start)
    #expect(JournalEntry(line: "{\"event\":\"st".utf8) == nil)
    let resume = JournalEntry(.resume, step: 7, time: start.time, job: job, changes: ["seed was 1 and is 2"])
    #expect(resume.json.contains(#""changes":["seed was 1 and is 2"]"#))
    #expect(JournalEntry(line: resume.json.utf8) == resume)
  }

  @Test func earlierEntriesStay() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/journal.jsonl"
      for step in [1, 2] {
        try RunJournal(path: path, log: Logger(label: "test")).note(JournalEntry(.checkpoint, step: step))
      }
      #expect(try text(at: path).split(separator: "\n").compactMap { JournalEntry(line: $0.utf8)?.step } == [1, 2])
    }
  }

  @Test func entryAfterATruncatedLineHasItsOwnLine() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/journal.jsonl"
      try "{\"event\": \"che".write(toFile: path, atomically: true, encoding: .utf8)
      try RunJournal(path: path, log: Logger(label: "test")).note(JournalEntry(.done, step: 3))
      let lines = try text(at: path).split(separator: "\n")
      #expect(lines.count == 2 && JournalEntry(line: lines[1].utf8)?.event == .done)
    }
  }
}

@Suite struct AppendedFileTests {
  @Test func bytesThatTheFileSystemRefusesAreKept() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/log"
      var file = try AppendedFile(path: path)
      try file.append([1, 2])
      // Beyond this size the system refuses writes, as on a full disk.
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      let before = limit
      let handler = signal(SIGXFSZ, SIG_IGN)
      limit.rlim_cur = 2
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      for count in 1...2 {
        let error = #expect(throws: FileError.self) { try file.append([3, 4, 5]) }
        #expect(error?.description == "cannot write \(path): File too large")
        #expect(file.pendingCount == 3 * count)
      }
      limit = before
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      signal(SIGXFSZ, handler)
      try file.append([6])
      #expect(try readBytes(at: path) == [1, 2, 3, 4, 5, 3, 4, 5, 6])
    }
  }
}
