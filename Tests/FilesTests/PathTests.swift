import Files
import Testing

@Suite struct PathTests {
  @Test(arguments: [
    ("a", "a", "."), ("é", "é", "."), ("a/b", "b", "a"), ("/a", "a", "/"), ("a/b//", "b", "a"), ("a//b", "b", "a"),
    ("/", "", "/"), ("//a", "a", "/"), ("", "", "."), (".", ".", "."), ("../a", "a", ".."), ("a/é", "é", "a"),
  ])
  func aPathHasALastPartAndAFolder(path: String, last: String, folder: String) {
    #expect(lastPart(ofPath: path) == last)
    #expect(parentFolder(of: path) == folder)
  }

  @Test func aNameInAFolderIsAPath() {
    #expect(path(of: "a", in: ".") == "a")
    #expect(path(of: "a", in: "/") == "/a")
    #expect(path(of: "a", in: "b") == "b/a")
    #expect(path(of: "a", in: "b/") == "b/a")
  }

  @Test func extensionsAreRemoved() {
    #expect(withoutEnding("a.h5") == "a")
    #expect(withoutEnding("a.b.h5") == "a.b")
    #expect(withoutEnding(".h5") == ".h5")
    #expect(withoutEnding("a") == "a" && withoutEnding("") == "")
  }
}
