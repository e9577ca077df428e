import Foundation

/// Calls `body` with the path of a new folder and removes it afterwards.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let path = NSTemporaryDirectory() + "/training-tests-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

/// The text of the file at `path`.
func text(at path: String) throws -> String {
  try String(contentsOfFile: path, encoding: .utf8)
}
