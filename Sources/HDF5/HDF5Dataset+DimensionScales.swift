import CHDF5

// Dimension scales name the dimensions of datasets and hold their coordinates (HDF5 Dimension Scale Specification).
// Files of netCDF-4 keep their dimensions in them, so netCDF's libraries and xarray read files that have them.

extension HDF5Dataset {
  /// Makes a vector of coordinates a dimension, whose name is that of the dataset.
  /// - Throws: `HDF5Error`, also for a dataset that is no vector.
  package borrowing func makeScale(_ name: String) throws(HDF5Error) {
    guard shape.count == 1 else {
      throw HDF5Error("H5DSset_scale", subject, .wrongType, "a dimension has one list of coordinates, not \(shape)")
    }
    try check("H5DSset_scale", subject, H5DSset_scale(handle.identifier, name))
  }

  /// Declares that one of this dataset's dimensions is that of a scale.
  /// - Throws: `HDF5Error`, also if the lengths differ.
  package borrowing func attachScale(_ scale: borrowing HDF5Dataset, to dimension: Int) throws(HDF5Error) {
    precondition(shape.indices.contains(dimension), "there is no dimension \(dimension)")
    guard scale.shape == [shape[dimension]] else {
      throw HDF5Error(
        "H5DSattach_scale", subject, .wrongType,
        "its dimension \(dimension) has \(shape[dimension]) elements, and \(scale.subject) \(scale.shape)")
    }
    let status = H5DSattach_scale(handle.identifier, scale.handle.identifier, UInt32(dimension))
    try check("H5DSattach_scale", subject, status)
  }
}

extension HDF5File {
  /// Creates a dimension without coordinates, as netCDF-4 does: a dataset whose elements have no meaning.
  package borrowing func createDimension(_ name: String, length: Int) throws(HDF5Error) -> HDF5Dataset {
    let dataset = try createDataset(name, shape: [length], type: .uint8)
    try dataset.writeAll([UInt8](repeating: 0, count: length))
    // NetCDF-4 recognises such a dimension by this text, in which the length has ten columns.
    let digits = String(length)
    let padding = String(repeating: " ", count: max(10 - digits.count, 0))
    try dataset.makeScale("This is a netCDF dimension but not a netCDF variable.\(padding)\(digits)")
    return dataset
  }
}
