import CHDF5

/// A new dataspace of this shape; an empty one is a scalar's.
func makeDataspace(_ shape: [Int], _ subject: String) throws(HDF5Error) -> Handle {
  if shape.isEmpty { return try Handle(.dataspace, "H5Screate", subject, H5Screate(H5S_SCALAR)) }
  return try Handle(
    .dataspace, "H5Screate_simple", subject, H5Screate_simple(Int32(shape.count), shape.map(hsize_t.init), nil))
}

/// The shape of a dataset.
func shape(of dataset: borrowing Handle, _ subject: String) throws(HDF5Error) -> [Int] {
  let dataspace = try Handle(.dataspace, "H5Dget_space", subject, H5Dget_space(dataset.identifier))
  let count = try check("H5Sget_simple_extent_ndims", subject, H5Sget_simple_extent_ndims(dataspace.identifier))
  var lengths = [hsize_t](repeating: 0, count: Int(count))
  try check("H5Sget_simple_extent_dims", subject, H5Sget_simple_extent_dims(dataspace.identifier, &lengths, nil))
  return lengths.map { Int(clamping: $0) }
}

/// The number of elements of a dataspace.
func elementCount(of dataspace: borrowing Handle, _ subject: String) throws(HDF5Error) -> Int {
  Int(try check("H5Sget_simple_extent_npoints", subject, H5Sget_simple_extent_npoints(dataspace.identifier)))
}
