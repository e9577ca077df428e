import CHDF5

/// The HDF5 library. It is not thread-safe: calls must not overlap.
package enum HDF5Library {
  /// The version of the library in use, such as "1.10.8".
  package static func version() throws(HDF5Error) -> String {
    try prepare()
    var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
    try check("H5get_libversion", "libhdf5", H5get_libversion(&major, &minor, &release))
    return "\(major).\(minor).\(release)"
  }

  /// Opens the library on first use.
  ///
  /// Errors become Swift errors instead of text on stderr. The library does not complete open files when the process
  /// exits, which happens only after an error. Links to other files are disabled.
  static func prepare() throws(HDF5Error) {
    try check("H5open", "libhdf5", openStatus)
  }

  private static let openStatus: herr_t = {
    guard H5dont_atexit() >= 0, H5open() >= 0, H5Eset_auto2(ddpm_hdf5_default_errors(), nil, nil) >= 0 else {
      return -1
    }
    // A file from an unknown source must not make us read other files.
    return H5Lunregister(H5L_TYPE_EXTERNAL)
  }()
}
