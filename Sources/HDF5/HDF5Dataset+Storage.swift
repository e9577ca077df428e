import CHDF5
import Files

/// Where a file has a dataset's elements, one after the other as they are in memory: for reading and writing them
/// without the library.
package struct DatasetLocation: Codable, Sendable, Equatable {
  /// The position of the first byte in the file; 0 if there are no elements.
  package let offset: Int
  /// The number of elements.
  package let count: Int
  package let type: ElementType

  /// The position of an element's first byte.
  package func offset(of element: Int) -> Int { offset + element * type.byteCount }
}

extension HDF5Dataset {
  /// The offset in bytes of the elements in the file, if they are contiguous and can be read without the library; nil
  /// if they are chunked, compressed or stored elsewhere, or in another order of bytes.
  package borrowing func contiguousOffset() throws(HDF5Error) -> Int? {
    let creation = try creationProperties(of: handle, subject)
    guard H5Pget_layout(creation.identifier) == H5D_CONTIGUOUS, H5Pget_external_count(creation.identifier) == 0 else {
      return nil
    }
    let datatype = try Handle(.datatype, "H5Dget_type", subject, H5Dget_type(handle.identifier))
    guard type.byteCount == 1 || H5Tequal(datatype.identifier, type.libraryTypes.memory) > 0 else { return nil }
    // All bits are one if nothing is allocated.
    return Int(exactly: H5Dget_offset(handle.identifier))
  }

  /// Where the elements are. That of a new dataset is final, and others may write there when the file is closed.
  /// - Throws: `HDF5Error` if they cannot be read without the library.
  package borrowing func location() throws(HDF5Error) -> DatasetLocation {
    if count == 0 { return DatasetLocation(offset: 0, count: 0, type: type) }
    guard let offset = try contiguousOffset() else {
      throw HDF5Error("H5Dget_offset", subject, .wrongType, "its elements are not stored as they are in memory")
    }
    return DatasetLocation(offset: offset, count: count, type: type)
  }

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
