import CHDF5

extension HDF5File {
  /// Whether there is an object at `objectPath`; the groups on its path need not exist either.
  package borrowing func exists(_ objectPath: String) throws(HDF5Error) -> Bool {
    let subject = subject(objectPath)
    var prefix = ""
    for component in objectPath.split(separator: "/") {
      prefix += "/" + component
      let linkExists = H5Lexists(handle.identifier, prefix, ddpm_hdf5_default_properties())
      guard try check("H5Lexists", subject, linkExists) > 0 else { return false }
      var type = H5L_TYPE_ERROR
      try check("H5Lget_info", subject, ddpm_hdf5_link_type(handle.identifier, prefix, &type))
      guard type != H5L_TYPE_EXTERNAL else {
        throw HDF5Error("H5Lget_info", subject, .wrongType, "\(prefix) is a link to another file, which is not read")
      }
      let objectExists = H5Oexists_by_name(handle.identifier, prefix, ddpm_hdf5_default_properties())
      guard try check("H5Oexists_by_name", subject, objectExists) > 0 else { return false }
    }
    return true
  }

  /// Whether there is a group at `objectPath`. Throws for the reason `noSuchObject` if there is no object.
  package borrowing func isGroup(_ objectPath: String) throws(HDF5Error) -> Bool {
    let object = try openObject(objectPath)
    return H5Iget_type(object.identifier) == H5I_GROUP
  }

  /// The names of the objects directly in a group, sorted bytewise.
  package borrowing func names(in groupPath: String = "/") throws(HDF5Error) -> [String] {
    let subject = subject(groupPath)
    let group = try openObject(groupPath)
    guard H5Iget_type(group.identifier) == H5I_GROUP else {
      throw HDF5Error("H5Gget_info", subject, .wrongType, "this is not a group")
    }
    var information = H5G_info_t()
    try check("H5Gget_info", subject, H5Gget_info(group.identifier, &information))
    var names: [String] = []
    for index in 0..<information.nlinks {
      let length = try check(
        "H5Lget_name_by_idx", subject,
        H5Lget_name_by_idx(
          group.identifier, ".", H5_INDEX_NAME, H5_ITER_INC, index, nil, 0, ddpm_hdf5_default_properties()))
      var name = [CChar](repeating: 0, count: length + 1)
      try check(
        "H5Lget_name_by_idx", subject,
        H5Lget_name_by_idx(
          group.identifier, ".", H5_INDEX_NAME, H5_ITER_INC, index, &name, name.count, ddpm_hdf5_default_properties()))
      names.append(String(decoding: name.prefix(length).map(UInt8.init(truncatingIfNeeded:)), as: UTF8.self))
    }
    return names
  }

  /// Creates a dataset whose contents are undefined until written, and any missing groups on its path.
  ///
  /// - Parameter shape: empty for a single number; a dimension may be zero.
  package borrowing func createDataset(
    _ datasetPath: String, shape: [Int], type: ElementType
  ) throws(HDF5Error) -> HDF5Dataset {
    precondition(shape.allSatisfy { $0 >= 0 }, "dimensions cannot be negative")
    let subject = subject(datasetPath)
    let links = try PropertyLists.linkCreation(subject)
    let creation = try PropertyLists.datasetCreation(subject)
    let dataspace = try makeDataspace(shape, subject)
    let identifier = H5Dcreate2(
      handle.identifier, datasetPath, type.libraryTypes.file, dataspace.identifier, links.identifier,
      creation.identifier, ddpm_hdf5_default_properties())
    return try HDF5Dataset(Handle(.dataset, "H5Dcreate2", subject, identifier), subject)
  }

  /// Opens a dataset. Throws, among others, for the reasons `noSuchObject` and `wrongType`.
  package borrowing func openDataset(_ datasetPath: String) throws(HDF5Error) -> HDF5Dataset {
    try HDF5Dataset(openAnyDataset(datasetPath), subject(datasetPath))
  }

  /// Opens a dataset of any type. Throws if its elements are in other files, which could be any on this machine.
  borrowing func openAnyDataset(_ datasetPath: String) throws(HDF5Error) -> Handle {
    let subject = subject(datasetPath)
    let dataset = try openObject(datasetPath)
    guard H5Iget_type(dataset.identifier) == H5I_DATASET else {
      throw HDF5Error("H5Dopen2", subject, .wrongType, "this is not a dataset")
    }
    let creation = try creationProperties(of: dataset, subject)
    guard H5Pget_layout(creation.identifier) != H5D_VIRTUAL, H5Pget_external_count(creation.identifier) == 0 else {
      throw HDF5Error("H5Dopen2", subject, .wrongType, "its elements are in other files, which are not read")
    }
    return dataset
  }

  /// Opens whatever is at a path; "/" and "" are the root group.
  borrowing func openObject(_ objectPath: String) throws(HDF5Error) -> Handle {
    let subject = subject(objectPath)
    guard try exists(objectPath) else {
      throw HDF5Error("H5Oopen", subject, .noSuchObject, "the file has no such object")
    }
    let path = objectPath.isEmpty ? "/" : objectPath
    return try Handle(.object, "H5Oopen", subject, H5Oopen(handle.identifier, path, ddpm_hdf5_default_properties()))
  }
}
