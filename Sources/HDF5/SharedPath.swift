import Glibc

/// The names of files as MPI-IO takes them.
enum SharedPath {
  /// Open MPI makes other names of a file's in buffers of 256 bytes, `<path>.lockedfile` among them, without looking at
  /// their length.
  static let maximumLength = 244

  /// An absolute path. Of a relative one MPI libraries may take what stands before a colon for the name of a file system
  /// (`nfs:`), and Open MPI cannot open one of a single character.
  /// - Throws: `HDF5Error` if an MPI library cannot hold it.
  static func absolute(_ path: String, _ call: String) throws(HDF5Error) -> String {
    var result = path
    if !path.hasPrefix("/"), let folder = getcwd(nil, 0) {
      result = String(cString: folder) + "/" + path
      free(folder)
    }
    let length = result.utf8.count
    guard length <= maximumLength else {
      throw HDF5Error(
        call, path, .other,
        "its absolute path has \(length) bytes, but MPI libraries hold \(maximumLength); take a shorter path")
    }
    return result
  }

  /// What to say besides where a file could not be opened.
  static func hint(_ path: String) -> String {
    guard path.contains(":") else { return "" }
    return
      "; this MPI library may take what stands before a colon for the name of a file system: take a path without one"
  }
}

extension HDF5File {
  /// Verifies that ranks could share a file of this name.
  /// - Throws: `HDF5Error`.
  public static func checkShareable(_ path: String) throws(HDF5Error) {
    _ = try SharedPath.absolute(path, "H5Fcreate")
  }
}
