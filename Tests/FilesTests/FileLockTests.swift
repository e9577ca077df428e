import Files
import Foundation
import TestSupport
import Testing

@Suite struct FileLockTests {
  private let temporary: TemporaryFolder
  private var folder: String { temporary.path }

  init() throws { temporary = try TemporaryFolder() }

  @Test func aSecondLockIsRefusedAndNamesTheOwner() throws {
    let path = folder + "/.lock"
    let first = try FileLock(path, owner: "job 7")
    let error = #expect(throws: FileError.self) { try FileLock(path, owner: "job 8") }
    #expect(error?.description == "\(path) is locked by job 7")
    withExtendedLifetime(first) {}
  }

  @Test func aLockOnARemovedFileDoesNotCount() throws {
    let path = folder + "/.lock"
    let first = try FileLock(path, owner: "job 7")
    first.removeFile()
    let second = try FileLock(path, owner: "job 8")
    let error = #expect(throws: FileError.self) { try FileLock(path, owner: "job 9") }
    #expect(error?.description == "\(path) is locked by job 8")
    withExtendedLifetime((first, second)) {}
  }

  @Test func createdFoldersAreRemovedIfEmpty() throws {
    let made = try makeFolder(at: folder + "/a/b/c")
    #expect(made == ["a", "a/b", "a/b/c"].map { "\(folder)/\($0)" })
    #expect(try makeFolder(at: folder + "/a/b").isEmpty)
    try Data().write(to: URL(fileURLWithPath: folder + "/a/kept"))
    removeEmptyFolders(made)
    #expect(try namesInFolder(folder + "/a") == ["kept"])
  }
}
