import Files
import Foundation
import TestSupport
import Testing

@Suite struct OutputFileTests {
  private let temporary: TemporaryFolder
  private var folder: String { temporary.path }

  init() throws { temporary = try TemporaryFolder() }

  private func path(_ name: String) -> String { "\(folder)/\(name)" }
  private func put(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
  }
  private var names: [String] { (try? namesInFolder(folder).sorted()) ?? [] }

  private func message(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return "\(error)" }
  }

  @Test func fileAppearsWholeAndKeepsItsPermissions() throws {
    try put("old", "a")
    chmod(path("a"), 0o640)
    try replaceFile(at: path("a"), with: "new".utf8)
    #expect(try readText(at: path("a")) == "new")
    var information = stat()
    #expect(stat(path("a"), &information) == 0)
    #expect(information.st_mode & 0o777 == 0o640)
    #expect(names == ["a"])
  }

  @Test func failureLeavesTheOldFileAndNothingElse() throws {
    struct Failure: Error {}
    try put("old", "a")
    #expect(throws: Failure.self) {
      try OutputFile(path("a")).write { temporary in
        try Data("half".utf8).write(to: URL(fileURLWithPath: temporary))
        throw Failure()
      }
    }
    #expect(try readText(at: path("a")) == "old")
    #expect(names == ["a"])
  }

  @Test func linkIsFollowedAndStays() throws {
    try put("old", "a")
    symlink("a", path("link"))
    symlink("later", path("dangling"))
    try replaceFile(at: path("link"), with: "new".utf8)
    try replaceFile(at: path("dangling"), with: "first".utf8)
    #expect(try readText(at: path("a")) == "new")
    #expect(try readText(at: path("later")) == "first")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path("link")) == "a")
  }

  @Test func devicesPipesAndFoldersAreNeverReplaced() throws {
    mkfifo(path("pipe"), 0o600)
    symlink("loop", path("loop"))
    for special in ["/dev/full", "/dev/null", path("pipe"), folder, "", path("a/"), path("none/a"), path("loop")] {
      #expect(message { _ = try OutputFile(special) } != nil, "\(special)")
    }
    #expect(message { _ = try OutputFile("/dev/full") } == "cannot write /dev/full: it is a device, not a file")
  }

  @Test func longestNameCanBeWritten() throws {
    let name = String(repeating: "ü", count: 127)
    try replaceFile(at: path(name), with: "x".utf8)
    #expect(names == [name])
  }

  @Test func outputsMustNotBeInputsOrEachOther() throws {
    try put("model", "model")
    symlink("model", path("link"))
    link(path("model"), path("hard"))
    mkdir(path("sub"), 0o700)
    for output in [path("model"), path("link"), path("hard"), path("sub/../model")] {
      #expect(
        message {
          try checkApart(
            outputs: [NamedFile("--output", output)], inputs: [NamedFile("--checkpoint", path("model"))])
        } != nil, "\(output)")
    }
    for second in [path("new"), path("./new"), path("sub/../new")] {
      #expect(
        message {
          try checkApart(outputs: [NamedFile("--output", path("new")), NamedFile("--grid", second)], inputs: [])
        } == "--grid \(second) and --output are the same file; choose different files")
    }
    #expect(
      message {
        try checkApart(
          outputs: [NamedFile("--output", path("new")), NamedFile("--grid", path("sub/new"))],
          inputs: [NamedFile("--checkpoint", path("model"))])
      } == nil)
  }

  @Test func outputsReplaceNothingInFoldersThatAreRead() throws {
    mkdir(path("data"), 0o700)
    mkdir(path("data/deep"), 0o700)
    try put("image", "data/deep/a.png")
    symlink("data", path("link"))
    func refusal(_ output: String, _ input: String) -> String? {
      message {
        try checkApart(outputs: [NamedFile("--output", path(output))], inputs: [NamedFile("<a>", path(input))])
      }
    }
    for output in ["data/deep/a.png", "link/deep/a.png", "data/../data/deep/./a.png", "data", "data/", "link"] {
      #expect(refusal(output, "data") != nil, "\(output)")
    }
    // A new file replaces nothing.
    #expect(refusal("data/deep/b.png", "data") == nil)
    // A missing input is ignored.
    #expect(refusal("data/deep/a.png", "nothing") == nil)
    // A folder that would be replaced together with the input in it.
    for output in ["data", "link", "data/deep/.."] { #expect(refusal(output, "data/deep/a.png") != nil, "\(output)") }
    #expect(refusal("data/deep", "data/a.png") == nil)
  }

  @Test func folderAppearsWholeOrNotAtAll() throws {
    let files = [("a/b", Data("text".utf8)), ("c", Data())]
    try OutputFolder(path("new")).write(files)
    #expect(try readText(at: path("new/a/b")) == "text")
    #expect(names == ["new"])
    #expect(throws: FileError.self) { try OutputFolder(path("other")).write([("a", Data()), ("a/b", Data())]) }
    #expect(names == ["new"])
    // It is not empty.
    #expect(message { _ = try OutputFolder(path("new")) } != nil)
    func replacement(_ isWanted: Bool, _ mark: String) -> OutputFolder.Replacement {
      .init(of: "a pipeline", knownBy: mark, isWanted: isWanted)
    }
    #expect(message { _ = try OutputFolder(path("new"), replacing: replacement(false, "c")) } != nil)
    #expect(message { _ = try OutputFolder(path("new"), replacing: replacement(true, "d")) } != nil)
    symlink("new", path("link"))
    try OutputFolder(path("link/"), replacing: replacement(true, "c")).write([("e", Data())])
    #expect(try namesInFolder(path("new")) == ["e"])
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path("link")) == "new")
    #expect(names == ["link", "new"])
    mkfifo(path("pipe"), 0o600)
    for special in ["", "\0", path("pipe"), path("link/e"), "/dev/null"] {
      #expect(message { _ = try OutputFolder(special) } != nil, "\(special)")
    }
  }

  @Test func spaceIsReservedOrRefused() throws {
    let output = try OutputFile(path("a"))
    try output.prepare()
    try output.reserve(byteCount: 1 << 16)
    #expect(try RegularFile(output.temporaryPath).size == 0)
    #expect(message { try output.reserve(byteCount: 1 << 60) } != nil)
    output.discard()
    #expect(names == [])
  }

  @Test func filesWrittenInPlaceMustNotBeLinks() throws {
    try put("theirs", "a")
    symlink("a", path("journal.jsonl"))
    #expect(message { _ = try AppendedFile(path: path("journal.jsonl")) } != nil)
    #expect(message { _ = try FileLock(path("journal.jsonl"), owner: "us") } != nil)
    #expect(try readText(at: path("a")) == "theirs")
  }
}
