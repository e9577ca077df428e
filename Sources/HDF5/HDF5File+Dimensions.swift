import CHDF5

extension HDF5File {
  /// The dimension scale of each axis of a dataset: the path of the dataset that holds the axis's coordinates; nil where
  /// none is attached (HDF5 Dimension Scale Specification).
  ///
  /// If several scales are attached to an axis, the first one counts.
  package borrowing func dimensionScales(of datasetPath: String) throws(HDF5Error) -> [String?] {
    let name = "DIMENSION_LIST"
    let subject = subject(datasetPath, attribute: name)
    let dataset = try openAnyDataset(datasetPath)
    let rank = try shape(of: dataset, subject).count
    let without = [String?](repeating: nil, count: rank)
    guard try attributeExists(name, of: datasetPath) else { return without }
    let attribute = try openAnyAttribute(name, of: datasetPath)
    let datatype = try Handle(.datatype, "H5Aget_type", subject, H5Aget_type(attribute.identifier))
    guard H5Tget_class(datatype.identifier) == H5T_VLEN, try valueCount(of: attribute, subject) == rank else {
      throw HDF5Error("H5Aread", subject, .wrongType, "this is not a list of references for \(rank) dimensions")
    }
    let element = try Handle(.datatype, "H5Tget_super", subject, H5Tget_super(datatype.identifier))
    guard H5Tequal(element.identifier, ddpm_hdf5_object_reference()) > 0 else {
      throw HDF5Error("H5Aread", subject, .wrongType, "these are not references to objects")
    }
    if rank == 0 { return [] }
    let memory = try Handle(.datatype, "H5Tvlen_create", subject, H5Tvlen_create(ddpm_hdf5_object_reference()))
    let space = try Handle(.dataspace, "H5Aget_space", subject, H5Aget_space(attribute.identifier))
    var lists = [hvl_t](repeating: hvl_t(), count: rank)
    try check("H5Aread", subject, H5Aread(attribute.identifier, memory.identifier, &lists))
    var paths = without
    for (axis, list) in lists.enumerated() {
      guard list.len > 0, let references = list.p else { continue }
      paths[axis] = nameOfObject(at: references, from: dataset)
    }
    H5Dvlen_reclaim(memory.identifier, space.identifier, ddpm_hdf5_default_properties(), &lists)
    return paths
  }

  /// The label of each axis of a dataset, which says what it is without a dimension scale; empty where there is none
  /// (HDF5 Dimension Scale Specification).
  package borrowing func dimensionLabels(of datasetPath: String) throws(HDF5Error) -> [String] {
    let name = "DIMENSION_LABELS"
    let dataset = try openAnyDataset(datasetPath)
    let rank = try shape(of: dataset, subject(datasetPath, attribute: name)).count
    let without = [String](repeating: "", count: rank)
    guard try attributeExists(name, of: datasetPath) else { return without }
    do throws(HDF5Error) {
      let labels = try readAttribute(name, of: datasetPath, as: [String].self)
      return labels.count == rank ? labels : without
    } catch {
      guard error.reason == .wrongType else { throw error }
      return without
    }
  }

  /// Whether a dataset holds the coordinates of a dimension.
  package borrowing func isDimensionScale(_ datasetPath: String) throws(HDF5Error) -> Bool {
    guard try attributeExists("CLASS", of: datasetPath) else { return false }
    do { return try readAttribute("CLASS", of: datasetPath, as: String.self) == "DIMENSION_SCALE" } catch {
      guard error.reason == .wrongType else { throw error }
      return false
    }
  }

  /// The path of the object that a reference points to; nil if there is none.
  private func nameOfObject(at reference: UnsafeRawPointer, from dataset: borrowing Handle) -> String? {
    let identifier = H5Rdereference2(
      dataset.identifier, ddpm_hdf5_default_properties(), ddpm_hdf5_kind_object(), reference)
    guard identifier >= 0, let object = try? Handle(.object, "H5Rdereference2", path, identifier) else { return nil }
    let length = H5Iget_name(object.identifier, nil, 0)
    guard length > 0, length < 1 << 16 else { return nil }
    var name = [CChar](repeating: 0, count: length + 1)
    guard H5Iget_name(object.identifier, &name, name.count) == length else { return nil }
    return String(decoding: name.prefix(length).map(UInt8.init(truncatingIfNeeded:)), as: UTF8.self)
  }
}
