import Glibc

/// File names in the form that MPI-IO accepts.
enum SharedPath {
  /// Open MPI derives other names from a file's, such as `<path>.lockedfile`, in buffers of 256 bytes, without checking
  /// their length.
  static let maximumLength = 244

  /// An absolute path. In a relative one, MPI libraries may take the text before a colon for the name of a file system
  /// (`nfs:`), and Open MPI cannot open one of a single character.
  /// - Throws: `HDF5Error` if it is too long for an MPI library.
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
        "its absolute path has \(length) bytes, but MPI libraries allow \(maximumLength); use a shorter path")
    }
    return result
  }

  /// An additional hint for a file that could not be opened.
  static func hint(_ path: String) -> String {
    guard path.contains(":") else { return "" }
    return
      "; this MPI library may take the text before a colon for the name of a file system; use a path without a colon"
  }
}

extension HDF5File {
  /// Verifies that ranks can share a file with this name.
  /// - Throws: `HDF5Error`.
  package static func checkShareable(_ path: String) throws(HDF5Error) {
    _ = try SharedPath.absolute(path, "H5Fcreate")
  }
}
