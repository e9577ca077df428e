import Checkpoints
import Configuration
import Failures
import Files
import HDF5

/// Finds checkpoints.
package enum CheckpointLookup {
  /// Reads the newest intact checkpoint at a path: a file, a run's folder, or its folder of checkpoints.
  ///
  /// - Parameter option: the option that names the path, for messages.
  /// - Returns: the result of `read`, the file, and the problems of newer checkpoints.
  package static func newest<Result>(
    at location: String, option: String, read: (_ path: String) throws -> Result
  ) throws -> (Result, path: String, problems: [String]) {
    let location = withoutTrailingSlashes(location)
    guard fileExists(location) else {
      throw InputError("\(option) \(location): there is no such file or folder")
    }
    guard isFolder(location) else { return (try whole(location, read), location, []) }
    let folder = RunFolder(
      location.hasSuffix("/checkpoints") ? String(location.dropLast("/checkpoints".count)) : location)
    var problems: [String] = []
    for checkpoint in try folder.checkpoints() {
      do {
        return (try whole(checkpoint.path, read), checkpoint.path, problems)
      } catch let error as CheckpointError {
        problems.append("\(error)")
      }
    }
    throw CheckpointError(
      path: location,
      problem: problems.isEmpty
        ? "there is no checkpoint in this folder" : "no checkpoint is intact: " + problems.joined(separator: "; "))
  }

  private static func whole<Result>(_ path: String, _ read: (String) throws -> Result) throws -> Result {
    do { return try read(path) } catch let error as HDF5Error {
      throw CheckpointError(path: path, problem: error.message)
    }
  }
}
