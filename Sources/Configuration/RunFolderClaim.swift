import Files

/// A run's folder while a job has it for itself. What was made for a run that did not begin, because something refused
/// it, goes away with this: the next attempt finds the folder as this one did.
public final class RunFolderClaim {
  public let folder: RunFolder
  private var made: [String] = []
  private var lock: FileLock?
  private var hasBegun = false

  public init(_ folder: RunFolder) {
    self.folder = folder
  }

  /// Makes the folder and its subfolders where they are missing, and keeps other jobs from it.
  /// - Parameter mustBeFresh: whether a run that it already holds is an error.
  /// - Throws: that, or if another job has the folder.
  public func take(mustBeFresh: Bool) throws(FileError) {
    made = try folder.createFolders(mustBeFresh: mustBeFresh)
    lock = try folder.lock()
  }

  /// Stores the configuration, now that it has been accepted: from here on the folder holds a run.
  public func begin(_ configuration: RunConfiguration) throws(FileError) {
    try folder.save(configuration)
    hasBegun = true
  }

  deinit {
    if hasBegun { return }
    // A lock in a folder that was there before may have been there as well.
    if made.contains(folder.path) { lock?.removeFile() }
    removeEmptyFolders(made)
  }
}
