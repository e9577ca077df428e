import CHDF5
import Files

extension HDF5Dataset {
  /// The size of the elements in memory.
  package var byteCount: Int { count * type.byteCount }

  /// Whether most of the elements were never written; one compressed byte expands to at most 1032 bytes (DEFLATE).
  package borrowing func isMostlyUnwritten() -> Bool {
    HDF5.isMostlyUnwritten(handle, elements: count, ofBytes: type.byteCount)
  }
}

/// Whether the file stores too little for most of a dataset's elements to have been written.
func isMostlyUnwritten(_ dataset: borrowing Handle, elements count: Int, ofBytes size: Int) -> Bool {
  count * size / 1100 > Int(clamping: H5Dget_storage_size(dataset.identifier))
}

/// The properties with which a dataset was created.
func creationProperties(of dataset: borrowing Handle, _ subject: String) throws(HDF5Error) -> Handle {
  try Handle(.propertyList, "H5Dget_create_plist", subject, H5Dget_create_plist(dataset.identifier))
}

/// Throws if a dataset's elements would take far more memory than the file stores: compressed zeros, or values that
/// were never written.
/// - Throws: `HDF5Error`.
func requireStored(
  _ dataset: borrowing Handle, elements count: Int, ofBytes size: Int, _ subject: String
) throws(HDF5Error) {
  let stored = Int(clamping: H5Dget_storage_size(dataset.identifier))
  let limit = UnpackedLimit.bytes(ofStored: stored)
  guard let byteCount = checkedProduct([count, size]), byteCount <= limit else {
    throw HDF5Error(
      "H5Dread", subject, .wrongType,
      "its \(count) elements would take more than the limit of \(limit) bytes, and the file stores \(stored); "
        + "\(UnpackedLimit.advice), or store them without compression")
  }
}
