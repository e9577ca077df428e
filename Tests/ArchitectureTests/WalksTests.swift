import Foundation
import Testing

struct WalksTests {
  @Test func filesNamedInTheArchitecturePageExist() throws {
    let page = try Package.text("docs/architecture.md")
    let files = page.matches(of: /`((?:[\w.+-]+\/)+[\w+-]+\.swift)`/).map { String($0.1) }
    #expect(files.count > 50)
    for file in files {
      let isThere = ["", "Sources/"].contains { folder in
        FileManager.default.fileExists(atPath: "\(Package.folder)/\(folder)\(file)")
      }
      #expect(isThere, "docs/architecture.md names \(file), which does not exist")
    }
  }
}
