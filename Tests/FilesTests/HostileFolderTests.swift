import Files
import Foundation
import TestSupport
import Testing

@Suite struct HostileFolderTests {
  private let temporary: TemporaryFolder
  private var folder: String { temporary.path }

  init() throws {
    temporary = try TemporaryFolder()
    try temporary.createFolder("run/samples")
  }

  @Test func linksInsideTheFolderAreAllowed() throws {
    symlink("samples", "\(folder)/run/pictures")
    symlink("../samples", "\(folder)/run/samples/again")
    symlink("run", "\(folder)/alias")
    try requireInnerLinks(in: "\(folder)/run", subfolders: ["samples", "none"])
    try requireInnerLinks(in: "\(folder)/alias", subfolders: ["samples", "none"])
  }

  @Test func linksOutOfTheFolderAreNamed() throws {
    for (name, target) in [
      ("journal.jsonl", "/etc/passwd"), ("samples/step-00000001.png", "../../other"), ("samples", "/tmp"),
      ("checkpoints", ".."), ("dangling", "nowhere"),
    ] {
      try? FileManager.default.removeItem(atPath: "\(folder)/run/\(name)")
      symlink(target, "\(folder)/run/\(name)")
      #expect {
        try requireInnerLinks(in: "\(folder)/run", subfolders: ["samples", "checkpoints"])
      } throws: {
        "\($0)".contains("\(folder)/run/\(name) is a link that points outside of")
      }
      unlink("\(folder)/run/\(name)")
      try FileManager.default.createDirectory(atPath: "\(folder)/run/samples", withIntermediateDirectories: true)
    }
  }

  @Test func controlCharactersBecomeVisible() {
    #expect("plain é 😀\tand\nlines".printable == "plain é 😀\tand\nlines")
    #expect("\u{1b}[31mred\r\u{7}\u{9b}x\u{202e}".printable == "\\u{1b}[31mred\\u{d}\\u{7}\\u{9b}x\\u{202e}")
    #expect("\u{1b}a\tb\nc\u{2028}d".printableOnOneLine == "\\u{1b}a\\u{9}b\\u{a}c\\u{2028}d")
    #expect("m s⁻¹".printableOnOneLine == "m s⁻¹")
    #expect(#"{"name":"\#u{1b}[31m\#u{9b}"}"#.printableJSON == #"{"name":"\u001b[31m\u009b"}"#)
  }
}
