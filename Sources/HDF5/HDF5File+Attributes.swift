import CHDF5
import Glibc

extension HDF5File {
  // MARK: Writing

  /// Sets an attribute of a group or dataset, replacing one of the same name. It is a variable-length UTF-8 string,
  /// which h5py reads as `str`. A zero byte would end the string, so text that contains one is rejected.
  public borrowing func writeAttribute(_ name: String, _ text: String, of objectPath: String = "/") throws(HDF5Error) {
    let subject = subject(objectPath, attribute: name)
    let datatype = try textType([text], subject)
    let attribute = try createAttribute(name, datatype.identifier, of: objectPath)
    let status = text.withCString { characters in
      withUnsafePointer(to: characters) { H5Awrite(attribute.identifier, datatype.identifier, $0) }
    }
    try check("H5Awrite", subject, status)
  }

  /// Sets an attribute of a group or dataset to a list of texts, which h5py reads as an array of `str`.
  public borrowing func writeAttribute(
    _ name: String, _ texts: [String], of objectPath: String = "/"
  ) throws(HDF5Error) {
    let subject = subject(objectPath, attribute: name)
    let datatype = try textType(texts, subject)
    let attribute = try createAttribute(name, datatype.identifier, of: objectPath, count: texts.count)
    if texts.isEmpty { return }
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    try check("H5Awrite", subject, H5Awrite(attribute.identifier, datatype.identifier, copies))
  }

  /// Sets an attribute of a group or dataset, replacing one of the same name.
  public borrowing func writeAttribute(_ name: String, _ value: Int64, of objectPath: String = "/") throws(HDF5Error) {
    try writeAttribute(name, number: value, of: objectPath)
  }

  /// Sets an attribute of a group or dataset, replacing one of the same name.
  public borrowing func writeAttribute(_ name: String, _ value: UInt32, of objectPath: String = "/") throws(HDF5Error) {
    try writeAttribute(name, number: value, of: objectPath)
  }

  /// Sets an attribute of a group or dataset, replacing one of the same name.
  public borrowing func writeAttribute(_ name: String, _ value: Double, of objectPath: String = "/") throws(HDF5Error) {
    try writeAttribute(name, number: value, of: objectPath)
  }

  private borrowing func writeAttribute<Number: HDF5Element>(
    _ name: String, number: Number, of objectPath: String
  ) throws(HDF5Error) {
    let attribute = try createAttribute(name, Number.elementType.inFile, of: objectPath)
    let status = withUnsafePointer(to: number) {
      H5Awrite(attribute.identifier, Number.elementType.inMemory, $0)
    }
    try check("H5Awrite", subject(objectPath, attribute: name), status)
  }

  // MARK: Reading

  /// Whether a group or dataset has an attribute with this name.
  public borrowing func attributeExists(_ name: String, of objectPath: String = "/") throws(HDF5Error) -> Bool {
    let object = try openObject(objectPath)
    return try check(
      "H5Aexists", subject(objectPath, attribute: name), H5Aexists(object.identifier, name)) > 0
  }

  /// The value of a string attribute, of fixed or variable length.
  public borrowing func readAttribute(
    _ name: String, of objectPath: String = "/", as _: String.Type
  ) throws(HDF5Error) -> String {
    let subject = subject(objectPath, attribute: name)
    let attribute = try openAttribute(name, of: objectPath)
    let datatype = try Handle(.datatype, "H5Aget_type", subject, H5Aget_type(attribute.identifier))
    guard H5Tget_class(datatype.identifier) == H5T_STRING else {
      throw HDF5Error("H5Aread", subject, .wrongType, "this is not a string")
    }
    let isVariable = try check("H5Tis_variable_str", subject, H5Tis_variable_str(datatype.identifier)) > 0
    let bytes =
      isVariable
      ? try readVariableString(attribute, datatype, subject) : try readFixedString(attribute, datatype, subject)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw HDF5Error("H5Aread", subject, .wrongType, "this string is not UTF-8")
    }
    return text
  }

  /// The value of an integer attribute of any width, or of a boolean as h5py writes it. Throws if it does not fit.
  public borrowing func readAttribute(
    _ name: String, of objectPath: String = "/", as _: Int64.Type
  ) throws(HDF5Error) -> Int64 {
    let subject = subject(objectPath, attribute: name)
    let attribute = try openAttribute(name, of: objectPath)
    let datatype = try Handle(.datatype, "H5Aget_type", subject, H5Aget_type(attribute.identifier))
    guard holdsIntegers(datatype) else {
      throw HDF5Error("H5Aread", subject, .wrongType, "this is not an integer")
    }
    // The library would silently clamp an unsigned number that is too large to the largest signed one.
    if H5Tget_sign(datatype.identifier) == H5T_SGN_NONE {
      var value: UInt64 = 0
      try check("H5Aread", subject, H5Aread(attribute.identifier, ddpm_hdf5_native_uint64(), &value))
      return try narrow(value, subject)
    }
    var value: Int64 = 0
    try check("H5Aread", subject, H5Aread(attribute.identifier, ddpm_hdf5_native_int64(), &value))
    return value
  }

  /// The value of an integer attribute of any width. Throws if it does not fit.
  public borrowing func readAttribute(
    _ name: String, of objectPath: String = "/", as _: UInt32.Type
  ) throws(HDF5Error) -> UInt32 {
    try narrow(try readAttribute(name, of: objectPath, as: Int64.self), subject(objectPath, attribute: name))
  }

  /// The value of a floating-point or integer attribute.
  public borrowing func readAttribute(
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
    _ name: String, _ datatype: hid_t, of objectPath: String, count: Int? = nil
  ) throws(HDF5Error) -> Handle {
    let subject = subject(objectPath, attribute: name)
    let object = try openObject(objectPath)
    if try check("H5Aexists", subject, H5Aexists(object.identifier, name)) > 0 {
      try check("H5Adelete", subject, H5Adelete(object.identifier, name))
    }
    let dataspace: Handle
    if let count {
      var extent = hsize_t(count)
      dataspace = try Handle(.dataspace, "H5Screate_simple", subject, H5Screate_simple(1, &extent, nil))
    } else {
      dataspace = try Handle(.dataspace, "H5Screate", subject, H5Screate(H5S_SCALAR))
    }
    let identifier = H5Acreate2(
      object.identifier, name, datatype, dataspace.identifier, ddpm_hdf5_default_properties(),
      ddpm_hdf5_default_properties())
    return try Handle(.attribute, "H5Acreate2", subject, identifier)
  }

  /// Variable-length UTF-8.
  private borrowing func textType(_ texts: [String], _ subject: String) throws(HDF5Error) -> Handle {
    guard !texts.contains(where: { $0.utf8.contains(0) }) else {
      throw HDF5Error("H5Awrite", subject, .wrongType, "the text contains a zero byte")
    }
    let datatype = try Handle(.datatype, "H5Tcopy", subject, H5Tcopy(ddpm_hdf5_c_string()))
    try check("H5Tset_size", subject, H5Tset_size(datatype.identifier, ddpm_hdf5_variable_length()))
    try check("H5Tset_cset", subject, H5Tset_cset(datatype.identifier, H5T_CSET_UTF8))
    return datatype
  }

  /// Opens an attribute, which must hold a single value.
  private borrowing func openAttribute(_ name: String, of objectPath: String) throws(HDF5Error) -> Handle {
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

  private func valueCount(of attribute: borrowing Handle, _ subject: String) throws(HDF5Error) -> Int {
    let dataspace = try Handle(.dataspace, "H5Aget_space", subject, H5Aget_space(attribute.identifier))
    return Int(
      try check("H5Sget_simple_extent_npoints", subject, H5Sget_simple_extent_npoints(dataspace.identifier)))
  }

  private func readVariableString(
    _ attribute: borrowing Handle, _ datatype: borrowing Handle, _ subject: String
  ) throws(HDF5Error) -> [UInt8] {
    var characters: UnsafeMutablePointer<CChar>?
    try check("H5Aread", subject, H5Aread(attribute.identifier, datatype.identifier, &characters))
    guard let characters else { return [] }
    let bytes = UnsafeRawBufferPointer(start: characters, count: strlen(characters))
    defer { H5free_memory(characters) }
    return Array(bytes)
  }

  /// Reads a string of fixed length without its padding.
  private func readFixedString(
    _ attribute: borrowing Handle, _ datatype: borrowing Handle, _ subject: String
  ) throws(HDF5Error) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: H5Tget_size(datatype.identifier))
    try check("H5Aread", subject, H5Aread(attribute.identifier, datatype.identifier, &bytes))
    return withoutPadding(bytes, spaces: H5Tget_strpad(datatype.identifier) == H5T_STR_SPACEPAD)
  }

  private func narrow<Value: FixedWidthInteger, Result: FixedWidthInteger>(
    _ value: Value, _ subject: String
  ) throws(HDF5Error) -> Result {
    guard let result = Result(exactly: value) else {
      throw HDF5Error("H5Aread", subject, .wrongType, "\(value) is out of range")
    }
    return result
  }
}
