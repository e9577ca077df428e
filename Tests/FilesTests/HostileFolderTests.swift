import Files
import Foundation
import XCTest

final class HostileFolderTests: XCTestCase {
  private var folder = ""

  override func setUpWithError() throws {
    folder = FileManager.default.temporaryDirectory.path + "/hostile-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: "\(folder)/run/samples", withIntermediateDirectories: true)
  }

  override func tearDown() { try? FileManager.default.removeItem(atPath: folder) }

  func testLinksThatStayInsideAreFine() throws {
    symlink("samples", "\(folder)/run/pictures")
    symlink("../samples", "\(folder)/run/samples/again")
    symlink("run", "\(folder)/alias")
    try requireInnerLinks(in: "\(folder)/run", subfolders: ["samples", "none"])
    try requireInnerLinks(in: "\(folder)/alias", subfolders: ["samples", "none"])
  }

  func testLinksThatLeadOutAreNamed() throws {
    for (place, target) in [
      ("journal.jsonl", "/etc/passwd"), ("samples/step-00000001.png", "../../other"), ("samples", "/tmp"),
      ("checkpoints", ".."), ("dangling", "nowhere"),
    ] {
      try? FileManager.default.removeItem(atPath: "\(folder)/run/\(place)")
      symlink(target, "\(folder)/run/\(place)")
      XCTAssertThrowsError(try requireInnerLinks(in: "\(folder)/run", subfolders: ["samples", "checkpoints"])) {
        XCTAssertTrue("\($0)".contains("\(folder)/run/\(place) is a link that leads out of"), "\($0)")
      }
      unlink("\(folder)/run/\(place)")
      try FileManager.default.createDirectory(atPath: "\(folder)/run/samples", withIntermediateDirectories: true)
    }
  }

  func testControlCharactersBecomeVisible() {
    XCTAssertEqual("plain é 😀\tand\nlines".printable, "plain é 😀\tand\nlines")
    XCTAssertEqual("\u{1b}[31mred\r\u{7}\u{9b}x\u{202e}".printable, "\\u{1b}[31mred\\u{d}\\u{7}\\u{9b}x\\u{202e}")
    XCTAssertEqual(#"{"name":"\#u{1b}[31m\#u{9b}"}"#.printableJSON, #"{"name":"\u001b[31m\u009b"}"#)
  }
}
