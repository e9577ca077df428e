import Files

/// A run's folder that a job has locked for itself. If the run did not start because something was refused, everything
/// that was created for it is removed again: the next attempt finds the folder unchanged.
package final class RunFolderClaim {
  package let folder: RunFolder
  private var made: [String] = []
  private var lock: FileLock?
  private var hasBegun = false

  package init(_ folder: RunFolder) {
    self.folder = folder
  }

  /// Creates the folder and its subfolders if missing, and locks it against other jobs.
  /// - Parameters:
  ///   - mustBeFresh: whether it is an error if the folder already contains a run.
  ///   - note: receives messages for the user, where the file system has no locks.
  /// - Throws: in that case, or if another job has locked the folder.
  package func take(mustBeFresh: Bool, note: (String) -> Void = { _ in }) throws(FileError) {
    made = try folder.createFolders(mustBeFresh: mustBeFresh)
    lock = try folder.lock(note: note)
  }

  /// Stores the configuration once it has been accepted: from here on the folder contains a run.
  package func begin(_ configuration: RunConfiguration) throws(FileError) {
    try folder.save(configuration)
    hasBegun = true
  }

  deinit {
    if hasBegun { return }
    // If the folder existed before, the lock file may have existed too.
    if made.contains(folder.path) { lock?.removeFile() }
    removeEmptyFolders(made)
  }
}
