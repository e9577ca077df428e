import CHDF5
import Files

/// The property lists this module uses, each made for one purpose.
enum PropertyLists {
  /// How a file is opened.
  ///
  /// - A file with open objects refuses to close, since these would be forgotten ones.
  /// - Format 1.8 or later, so that an attribute may exceed 64 KiB.
  /// - Parameter isLocked: whether the library locks the file, if the file system has locks.
  static func fileAccess(isLocked: Bool, _ subject: String) throws(HDF5Error) -> Handle {
    let list = try make(ddpm_hdf5_file_access(), subject)
    try check("H5Pset_fclose_degree", subject, H5Pset_fclose_degree(list.identifier, H5F_CLOSE_SEMI))
    try check(
      "H5Pset_libver_bounds", subject, H5Pset_libver_bounds(list.identifier, H5F_LIBVER_V18, H5F_LIBVER_V110))
    if !isLocked || !hasLocks(subject) {
      try check("H5Pset_file_locking", subject, ddpm_hdf5_disable_locking(list.identifier))
    }
    return list
  }

  /// How a name is added to a file: groups on its path are created as needed, and the name is UTF-8.
  static func linkCreation(_ subject: String) throws(HDF5Error) -> Handle {
    let list = try make(ddpm_hdf5_link_creation(), subject)
    try check(
      "H5Pset_create_intermediate_group", subject, H5Pset_create_intermediate_group(list.identifier, 1))
    try check("H5Pset_char_encoding", subject, H5Pset_char_encoding(list.identifier, H5T_CSET_UTF8))
    return list
  }

  /// How a dataset is stored: contiguous, allocated at once, and not filled, since all of it will be written.
  static func datasetCreation(_ subject: String) throws(HDF5Error) -> Handle {
    let list = try make(ddpm_hdf5_dataset_creation(), subject)
    try check("H5Pset_layout", subject, H5Pset_layout(list.identifier, H5D_CONTIGUOUS))
    try check("H5Pset_alloc_time", subject, H5Pset_alloc_time(list.identifier, H5D_ALLOC_TIME_EARLY))
    try check("H5Pset_fill_time", subject, H5Pset_fill_time(list.identifier, H5D_FILL_TIME_NEVER))
    return list
  }

  private static func make(_ listClass: hid_t, _ subject: String) throws(HDF5Error) -> Handle {
    try Handle(.propertyList, "H5Pcreate", subject, H5Pcreate(listClass))
  }
}
