import CHDF5
import Glibc

extension HDF5File {
  /// The value of a string attribute, of fixed or variable length.
  package borrowing func readAttribute(
    _ name: String, of objectPath: String = "/", as _: String.Type
  ) throws(HDF5Error) -> String {
    try readTexts(of: openAttribute(name, of: objectPath), isList: false, subject(objectPath, attribute: name))[0]
  }

  /// The value of a string attribute of another program: in UTF-8 or else in Latin-1 (ISO 8859-1), which older programs
  /// write without saying so.
  package borrowing func readForeignText(
    _ name: String, of objectPath: String = "/"
  ) throws(HDF5Error) -> String {
    let subject = subject(objectPath, attribute: name)
    return try readTexts(of: openAttribute(name, of: objectPath), isList: false, allowsLatin1: true, subject)[0]
  }

  /// The strings of an attribute that is a list of strings, of fixed or variable length.
  package borrowing func readAttribute(
    _ name: String, of objectPath: String = "/", as _: [String].Type
  ) throws(HDF5Error) -> [String] {
    try readTexts(of: openAnyAttribute(name, of: objectPath), isList: true, subject(objectPath, attribute: name))
  }

  private func readTexts(
    of attribute: borrowing Handle, isList: Bool, allowsLatin1: Bool = false, _ subject: String
  ) throws(HDF5Error) -> [String] {
    let datatype = try Handle(.datatype, "H5Aget_type", subject, H5Aget_type(attribute.identifier))
    let count = try valueCount(of: attribute, subject)
    return try texts(datatype, count: count, isList: isList, allowsLatin1: allowsLatin1, subject) {
      H5Aread(attribute.identifier, datatype.identifier, $0)
    }
  }

  /// The strings of a dataset, of fixed or variable length.
  package borrowing func readTexts(_ datasetPath: String) throws(HDF5Error) -> [String] {
    let subject = subject(datasetPath)
    let dataset = try openAnyDataset(datasetPath)
    let dataspace = try Handle(.dataspace, "H5Dget_space", subject, H5Dget_space(dataset.identifier))
    let datatype = try Handle(.datatype, "H5Dget_type", subject, H5Dget_type(dataset.identifier))
    let count = try elementCount(of: dataspace, subject)
    try requireStored(dataset, elements: count, ofBytes: H5Tget_size(datatype.identifier), subject)
    return try texts(datatype, count: count, isList: true, subject) {
      H5Dread(
        dataset.identifier, datatype.identifier, ddpm_hdf5_all(), ddpm_hdf5_all(), ddpm_hdf5_default_properties(), $0)
    }
  }

  /// - Parameters:
  ///   - isList: whether there may be other than one string.
  ///   - allowsLatin1: whether what is not UTF-8 is Latin-1.
  ///   - read: reads all strings into memory, in the type of the file.
  private func texts(
    _ datatype: borrowing Handle, count: Int, isList: Bool, allowsLatin1: Bool = false, _ subject: String,
    read: (UnsafeMutableRawPointer) -> herr_t
  ) throws(HDF5Error) -> [String] {
    guard H5Tget_class(datatype.identifier) == H5T_STRING else {
      throw HDF5Error("H5Aread", subject, .wrongType, "this is not a \(isList ? "list of strings" : "string")")
    }
    let size = H5Tget_size(datatype.identifier)
    // A larger size is more likely the result of damage.
    guard size > 0, count <= textLimit / size else {
      throw HDF5Error("H5Aread", subject, .wrongType, "\(count) strings of \(size) bytes are too many")
    }
    if count == 0 { return [] }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count * size, alignment: 16)
    defer { memory.deallocate() }
    memory.initializeMemory(as: UInt8.self, repeating: 0)
    let isVariable = try check("H5Tis_variable_str", subject, H5Tis_variable_str(datatype.identifier)) > 0
    try check("H5Aread", subject, read(memory.baseAddress!))
    let pointers = isVariable ? Array(memory.bindMemory(to: UnsafeMutablePointer<CChar>?.self)) : []
    defer { for pointer in pointers { H5free_memory(pointer) } }
    let isPaddedWithSpaces = H5Tget_strpad(datatype.identifier) == H5T_STR_SPACEPAD
    var texts: [String] = []
    for index in 0..<count {
      let bytes =
        isVariable
        ? pointers[index].map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) } ?? []
        : withoutPadding(memory[index * size..<(index + 1) * size], spaces: isPaddedWithSpaces)
      guard let text = String(validating: bytes, as: UTF8.self) ?? (allowsLatin1 ? latin1(bytes) : nil) else {
        throw HDF5Error("H5Aread", subject, .wrongType, "\(isList ? "a" : "this") string is not UTF-8")
      }
      texts.append(text)
    }
    return texts
  }
}

/// The maximum total size of a list's strings in bytes.
private let textLimit = 1 << 26

/// A fixed-length string without its padding.
private func withoutPadding(_ bytes: some Collection<UInt8>, spaces: Bool) -> [UInt8] {
  var bytes = Array(bytes)
  if spaces {
    while bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
    return bytes
  }
  return Array(bytes.prefix { $0 != 0 })
}

/// A text in Latin-1, whose bytes are the first 256 characters of Unicode.
private func latin1(_ bytes: [UInt8]) -> String {
  String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
}
