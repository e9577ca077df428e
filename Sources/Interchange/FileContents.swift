import Files
import FoundationEssentials

/// A file's bytes, mapped into memory.
func fileContents(_ path: String) throws(InterchangeError) -> Data {
  do { return try RegularFile(path).mapped() } catch {
    throw InterchangeError(
      path, error.kind == .missing ? "there is no such file" : "cannot be read: \(error.reason)",
      advice: "check the path and its permissions")
  }
}
