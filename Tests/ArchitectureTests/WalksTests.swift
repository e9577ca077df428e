import Foundation
import Testing

struct WalksTests {
  private let page: String

  init() throws { page = try Package.text("docs/architecture.md") }

  @Test func filesNamedInTheArchitecturePageExist() {
    let files = files(in: page[...])
    #expect(files.count > 50)
    for file in files {
      let isThere = ["", "Sources/"].contains { folder in
        FileManager.default.fileExists(atPath: "\(Package.folder)/\(folder)\(file)")
      }
      #expect(isThere, "docs/architecture.md names \(file), which does not exist")
    }
  }

  @Test func walksNameAsManyFilesAsTheySay() {
    let walks = page.split(separator: "\n").filter { $0.hasPrefix("**From ") }
    #expect(walks.count == 6)
    for walk in walks {
      let count = walk.firstMatch(of: /\((\d+) files\)/).flatMap { Int($0.1) }
      let named = Set(files(in: walk)).count
      #expect(count == named, "\(walk.prefix(60))… names \(named) files")
    }
  }

  /// The files in a text, with their folders.
  private func files(in text: Substring) -> [String] {
    text.matches(of: /`((?:[\w.+-]+\/)+[\w+-]+\.swift)`/).map { String($0.1) }
  }
}
