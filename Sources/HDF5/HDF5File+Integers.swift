import CHDF5

extension HDF5File {
  /// The shape of a dataset of integers: of any width and byte order, or the booleans that h5py writes.
  ///
  /// Throws, among others, for the reasons `noSuchObject` and `wrongType`.
  public borrowing func integerShape(_ datasetPath: String) throws(HDF5Error) -> [Int] {
    let subject = subject(datasetPath)
    let dataset = try openIntegers(datasetPath)
    return try extent(of: dataset, subject)
  }

  /// The integers of a dataset in row-major order. Throws if one of them is greater than 2⁶³ − 1.
  ///
  /// Allocates memory for the shape returned by `integerShape`.
  public borrowing func readIntegers(_ datasetPath: String) throws(HDF5Error) -> [Int64] {
    let subject = subject(datasetPath)
    let dataset = try openIntegers(datasetPath)
    var count = 1
    for length in try extent(of: dataset, subject) {
      let (product, overflows) = count.multipliedReportingOverflow(by: length)
      guard !overflows else { throw HDF5Error("H5Dread", subject, .wrongType, "its size is impossible") }
      count = product
    }
    try requireStored(dataset, elements: count, ofBytes: MemoryLayout<Int64>.size, subject)
    let datatype = try Handle(.datatype, "H5Dget_type", subject, H5Dget_type(dataset.identifier))
    func read(_ type: hid_t, into numbers: UnsafeMutableRawPointer?) throws(HDF5Error) {
      let status = H5Dread(
        dataset.identifier, type, ddpm_hdf5_all(), ddpm_hdf5_all(), ddpm_hdf5_default_properties(), numbers)
      try check("H5Dread", subject, status)
    }
    if H5Tget_sign(datatype.identifier) == H5T_SGN_NONE {
      // The library would silently clamp an unsigned number that is too large to the largest signed one.
      var numbers = [UInt64](repeating: 0, count: count)
      try read(ddpm_hdf5_native_uint64(), into: &numbers)
      if let large = numbers.first(where: { $0 > Int64.max }) {
        throw HDF5Error("H5Dread", subject, .wrongType, "\(large) is out of range")
      }
      return numbers.map(Int64.init)
    }
    var numbers = [Int64](repeating: 0, count: count)
    try read(ddpm_hdf5_native_int64(), into: &numbers)
    return numbers
  }

  private borrowing func openIntegers(_ datasetPath: String) throws(HDF5Error) -> Handle {
    let subject = subject(datasetPath)
    guard try kind(of: datasetPath) == .dataset else {
      throw HDF5Error("H5Dopen2", subject, .wrongType, "this is not a dataset")
    }
    let dataset = try Handle(
      .dataset, "H5Dopen2", subject, H5Dopen2(handle.identifier, datasetPath, ddpm_hdf5_default_properties()))
    try requireOwnStorage(dataset, subject)
    let datatype = try Handle(.datatype, "H5Dget_type", subject, H5Dget_type(dataset.identifier))
    guard holdsIntegers(datatype) else {
      throw HDF5Error("H5Dget_type", subject, .wrongType, "it does not hold whole numbers")
    }
    return dataset
  }

  private func extent(of dataset: borrowing Handle, _ subject: String) throws(HDF5Error) -> [Int] {
    let dataspace = try Handle(.dataspace, "H5Dget_space", subject, H5Dget_space(dataset.identifier))
    let count = try check("H5Sget_simple_extent_ndims", subject, H5Sget_simple_extent_ndims(dataspace.identifier))
    var lengths = [hsize_t](repeating: 0, count: Int(count))
    try check("H5Sget_simple_extent_dims", subject, H5Sget_simple_extent_dims(dataspace.identifier, &lengths, nil))
    return lengths.map { Int(clamping: $0) }
  }
}

/// Whether a type is an integer type, or an enumeration of integers, as booleans are.
func holdsIntegers(_ datatype: borrowing Handle) -> Bool {
  [H5T_INTEGER, H5T_ENUM].contains(H5Tget_class(datatype.identifier))
}
