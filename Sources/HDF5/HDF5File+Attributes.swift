import CHDF5
import Glibc

extension HDF5File {
  // MARK: Writing

  /// Sets an attribute of a group or dataset, replacing one of the same name. It is a variable-length UTF-8 string,
  /// which h5py reads as `str`. A zero byte would end the string, so text that contains one is rejected.
  package borrowing func writeAttribute(_ name: String, _ text: String, of objectPath: String = "/") throws(HDF5Error) {
    try writeTexts(name, [text], shape: [], of: objectPath)
  }

  /// Sets an attribute of a group or dataset to a list of texts, which h5py reads as an array of `str`.
  package borrowing func writeAttribute(
    _ name: String, _ texts: [String], of objectPath: String = "/"
  ) throws(HDF5Error) {
    try writeTexts(name, texts, shape: [texts.count], of: objectPath)
  }

  private borrowing func writeTexts(
    _ name: String, _ texts: [String], shape: [Int], of objectPath: String
  ) throws(HDF5Error) {
    let subject = subject(objectPath, attribute: name)
    guard !texts.contains(where: { $0.utf8.contains(0) }) else {
      throw HDF5Error("H5Awrite", subject, .wrongType, "the text contains a zero byte")
    }
    let datatype = try Handle(.datatype, "H5Tcopy", subject, H5Tcopy(ddpm_hdf5_c_string()))
    try check("H5Tset_size", subject, H5Tset_size(datatype.identifier, ddpm_hdf5_variable_length()))
    try check("H5Tset_cset", subject, H5Tset_cset(datatype.identifier, H5T_CSET_UTF8))
    let attribute = try createAttribute(name, datatype.identifier, shape: shape, of: objectPath)
    if texts.isEmpty { return }
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    try check("H5Awrite", subject, H5Awrite(attribute.identifier, datatype.identifier, copies))
  }

  /// Sets an attribute of a group or dataset to a number, replacing one of the same name.
  package borrowing func writeAttribute<Number: HDF5Element>(
    _ name: String, _ number: Number, of objectPath: String = "/"
  ) throws(HDF5Error) {
    let types = Number.elementType.libraryTypes
    let attribute = try createAttribute(name, types.file, shape: [], of: objectPath)
    let status = withUnsafePointer(to: number) { H5Awrite(attribute.identifier, types.memory, $0) }
    try check("H5Awrite", subject(objectPath, attribute: name), status)
  }

  // MARK: Reading

  /// Whether a group or dataset has an attribute with this name.
  package borrowing func attributeExists(_ name: String, of objectPath: String = "/") throws(HDF5Error) -> Bool {
    let object = try openObject(objectPath)
    return try check(
      "H5Aexists", subject(objectPath, attribute: name), H5Aexists(object.identifier, name)) > 0
  }

  /// The value of an integer attribute of any width, or of a boolean as h5py writes it. Throws if it does not fit.
  package borrowing func readAttribute(
    _ name: String, of objectPath: String = "/", as _: Int64.Type
  ) throws(HDF5Error) -> Int64 {
    let subject = subject(objectPath, attribute: name)
    let attribute = try openAttribute(name, of: objectPath)
    let datatype = try Handle(.datatype, "H5Aget_type", subject, H5Aget_type(attribute.identifier))
    guard holdsIntegers(datatype) else {
      throw HDF5Error("H5Aread", subject, .wrongType, "this is not an integer")
    }
    return try integers(datatype, count: 1, "H5Aread", subject) { H5Aread(attribute.identifier, $0, $1) }[0]
  }

  /// The value of an integer attribute of any width. Throws if it does not fit.
  package borrowing func readAttribute(
    _ name: String, of objectPath: String = "/", as _: UInt32.Type
  ) throws(HDF5Error) -> UInt32 {
    let value = try readAttribute(name, of: objectPath, as: Int64.self)
    guard let result = UInt32(exactly: value) else {
      throw HDF5Error("H5Aread", subject(objectPath, attribute: name), .wrongType, "\(value) is out of range")
    }
    return result
  }

  /// The value of a floating-point or integer attribute.
  package borrowing func readAttribute(
    _ name: String, of objectPath: String = "/", as _: Double.Type
  ) throws(HDF5Error) -> Double {
    let subject = subject(objectPath, attribute: name)
    let attribute = try openAttribute(name, of: objectPath)
    let datatype = try Handle(.datatype, "H5Aget_type", subject, H5Aget_type(attribute.identifier))
    guard [H5T_FLOAT, H5T_INTEGER].contains(H5Tget_class(datatype.identifier)) else {
      throw HDF5Error("H5Aread", subject, .wrongType, "this is not a number")
    }
    var value = 0.0
    try check("H5Aread", subject, H5Aread(attribute.identifier, ddpm_hdf5_native_double(), &value))
    return value
  }

  // MARK: Parts

  func subject(_ objectPath: String, attribute: String) -> String {
    "\(subject(objectPath)), attribute \(attribute)"
  }

  private borrowing func createAttribute(
    _ name: String, _ datatype: hid_t, shape: [Int], of objectPath: String
  ) throws(HDF5Error) -> Handle {
    let subject = subject(objectPath, attribute: name)
    let object = try openObject(objectPath)
    if try check("H5Aexists", subject, H5Aexists(object.identifier, name)) > 0 {
      try check("H5Adelete", subject, H5Adelete(object.identifier, name))
    }
    let dataspace = try makeDataspace(shape, subject)
    let identifier = H5Acreate2(
      object.identifier, name, datatype, dataspace.identifier, ddpm_hdf5_default_properties(),
      ddpm_hdf5_default_properties())
    return try Handle(.attribute, "H5Acreate2", subject, identifier)
  }

  /// Opens an attribute, which must hold a single value.
  borrowing func openAttribute(_ name: String, of objectPath: String) throws(HDF5Error) -> Handle {
    let subject = subject(objectPath, attribute: name)
    let attribute = try openAnyAttribute(name, of: objectPath)
    let valueCount = try valueCount(of: attribute, subject)
    guard valueCount == 1 else {
      throw HDF5Error("H5Aopen", subject, .wrongType, "it holds \(valueCount) values instead of one")
    }
    return attribute
  }

  borrowing func openAnyAttribute(_ name: String, of objectPath: String) throws(HDF5Error) -> Handle {
    let subject = subject(objectPath, attribute: name)
    let object = try openObject(objectPath)
    guard try check("H5Aexists", subject, H5Aexists(object.identifier, name)) > 0 else {
      throw HDF5Error("H5Aopen", subject, .noSuchObject, "there is no such attribute")
    }
    return try Handle(
      .attribute, "H5Aopen", subject, H5Aopen(object.identifier, name, ddpm_hdf5_default_properties()))
  }

  func valueCount(of attribute: borrowing Handle, _ subject: String) throws(HDF5Error) -> Int {
    let dataspace = try Handle(.dataspace, "H5Aget_space", subject, H5Aget_space(attribute.identifier))
    return try elementCount(of: dataspace, subject)
  }
}
