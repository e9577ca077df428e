import CHDF5
import Files

extension HDF5File {
  /// The shape of a dataset of integers: of any width and byte order, or the booleans that h5py writes.
  ///
  /// Throws, among others, for the reasons `noSuchObject` and `wrongType`.
  package borrowing func integerShape(_ datasetPath: String) throws(HDF5Error) -> [Int] {
    try shape(of: openIntegers(datasetPath), subject(datasetPath))
  }

  /// The integers of a dataset in row-major order. Throws if one of them is greater than 2⁶³ − 1.
  ///
  /// Allocates memory for the shape returned by `integerShape`.
  package borrowing func readIntegers(_ datasetPath: String) throws(HDF5Error) -> [Int64] {
    let subject = subject(datasetPath)
    let dataset = try openIntegers(datasetPath)
    guard let count = checkedProduct(try shape(of: dataset, subject)) else {
      throw HDF5Error("H5Dread", subject, .wrongType, "its size is impossible")
    }
    try requireStored(dataset, elements: count, ofBytes: MemoryLayout<Int64>.size, subject)
    let datatype = try Handle(.datatype, "H5Dget_type", subject, H5Dget_type(dataset.identifier))
    return try integers(datatype, count: count, "H5Dread", subject) { type, numbers in
      H5Dread(dataset.identifier, type, ddpm_hdf5_all(), ddpm_hdf5_all(), ddpm_hdf5_default_properties(), numbers)
    }
  }

  private borrowing func openIntegers(_ datasetPath: String) throws(HDF5Error) -> Handle {
    let subject = subject(datasetPath)
    let dataset = try openAnyDataset(datasetPath)
    let datatype = try Handle(.datatype, "H5Dget_type", subject, H5Dget_type(dataset.identifier))
    guard holdsIntegers(datatype) else {
      throw HDF5Error("H5Dget_type", subject, .wrongType, "it does not hold whole numbers")
    }
    return dataset
  }
}

/// Integers of any width, from a dataset or an attribute.
/// - Parameter read: reads all of them into memory, as numbers of a type in memory.
/// - Throws: `HDF5Error`, also if one of them is greater than 2⁶³ − 1.
func integers(
  _ datatype: borrowing Handle, count: Int, _ call: String, _ subject: String,
  read: (_ type: hid_t, UnsafeMutableRawPointer) -> herr_t
) throws(HDF5Error) -> [Int64] {
  if H5Tget_sign(datatype.identifier) == H5T_SGN_NONE {
    // The library would silently clamp an unsigned number that is too large to the largest signed one.
    var numbers = [UInt64](repeating: 0, count: count)
    try check(call, subject, read(ddpm_hdf5_native_uint64(), &numbers))
    if let large = numbers.first(where: { $0 > Int64.max }) {
      throw HDF5Error(call, subject, .wrongType, "\(large) is out of range")
    }
    return numbers.map(Int64.init)
  }
  var numbers = [Int64](repeating: 0, count: count)
  try check(call, subject, read(ddpm_hdf5_native_int64(), &numbers))
  return numbers
}

/// Whether a type is an integer type, or an enumeration of integers, as booleans are.
func holdsIntegers(_ datatype: borrowing Handle) -> Bool {
  [H5T_INTEGER, H5T_ENUM].contains(H5Tget_class(datatype.identifier))
}
