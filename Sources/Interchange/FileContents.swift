import Foundation

/// A file's bytes, mapped into memory where that is safe.
func fileContents(_ path: String) throws(InterchangeError) -> Data {
  do { return try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) } catch {
    let isThere = FileManager.default.fileExists(atPath: path)
    throw InterchangeError(
      path, isThere ? "cannot be read" : "there is no such file", advice: "check the path and who may read it")
  }
}
