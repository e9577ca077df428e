import CHDF5
import Files

/// An open dataset of floating-point numbers or integers of any width and byte order, or of booleans as h5py writes them
/// (1 and 0), which libhdf5 converts to double precision; for files of other programs.
///
/// Close it, or let it go out of scope, before its file is closed.
package struct HDF5Numbers: ~Copyable {
  /// How numbers are stored.
  package enum Storage: Sendable, Equatable, Codable, CustomStringConvertible {
    case float(byteCount: Int)
    case signed(byteCount: Int)
    case unsigned(byteCount: Int)
    case boolean

    /// NumPy's name of the type, such as `float32`.
    package var description: String {
      switch self {
      case .float(let byteCount): "float\(8 * byteCount)"
      case .signed(let byteCount): "int\(8 * byteCount)"
      case .unsigned(let byteCount): "uint\(8 * byteCount)"
      case .boolean: "bool"
      }
    }

    var byteCount: Int {
      switch self {
      case .float(let byteCount), .signed(let byteCount), .unsigned(let byteCount): byteCount
      case .boolean: 1
      }
    }

    /// nil for other types than numbers.
    init?(of datatype: borrowing Handle) {
      let byteCount = H5Tget_size(datatype.identifier)
      switch H5Tget_class(datatype.identifier) {
      case H5T_FLOAT: self = .float(byteCount: byteCount)
      case H5T_INTEGER:
        self =
          H5Tget_sign(datatype.identifier) == H5T_SGN_NONE
          ? .unsigned(byteCount: byteCount) : .signed(byteCount: byteCount)
      case H5T_ENUM:
        guard isBoolean(datatype) else { return nil }
        self = .boolean
      default: return nil
      }
    }
  }

  package let shape: [Int]
  package let storage: Storage
  /// The shape of the pieces in which the elements are stored; nil if they are not in pieces.
  package let chunkShape: [Int]?
  private let subject: String
  private let handle: Handle

  fileprivate init(_ handle: consuming Handle, _ subject: String) throws(HDF5Error) {
    let shape = try HDF5.shape(of: handle, subject)
    let datatype = try Handle(.datatype, "H5Dget_type", subject, H5Dget_type(handle.identifier))
    guard let storage = Storage(of: datatype) else {
      throw HDF5Error("H5Dget_type", subject, .wrongType, "its elements are \(kind(of: datatype)), not numbers")
    }
    // Ensures that element and byte counts below do not overflow.
    guard checkedProduct([max(storage.byteCount, MemoryLayout<Double>.size)] + shape.map { max($0, 1) }) != nil else {
      throw HDF5Error("H5Sget_simple_extent_dims", subject, .wrongType, "its shape is impossible: \(shape)")
    }
    let creation = try HDF5.creationProperties(of: handle, subject)
    if H5Pget_layout(creation.identifier) == H5D_CHUNKED {
      var lengths = [hsize_t](repeating: 0, count: shape.count)
      try check("H5Pget_chunk", subject, H5Pget_chunk(creation.identifier, Int32(shape.count), &lengths))
      chunkShape = lengths.map { Int(clamping: $0) }
    } else {
      chunkShape = nil
    }
    self.shape = shape
    self.storage = storage
    self.subject = subject
    self.handle = handle
  }

  /// The first filter of the elements that is not available; nil if all can be read.
  package borrowing func missingFilter() throws(HDF5Error) -> HDF5Filter? {
    try HDF5Filter.firstMissing(of: HDF5.creationProperties(of: handle, subject))
  }

  /// Whether most of the elements were never written.
  package borrowing func isMostlyUnwritten() -> Bool {
    HDF5.isMostlyUnwritten(handle, elements: shape.reduce(1, *), ofBytes: storage.byteCount)
  }

  /// The number that stands where nothing was written, if the writer of the dataset chose one; nil for the library's 0.
  package borrowing func chosenFill() throws(HDF5Error) -> Double? {
    let creation = try HDF5.creationProperties(of: handle, subject)
    var state = H5D_FILL_VALUE_UNDEFINED
    try check("H5Pfill_value_defined", subject, H5Pfill_value_defined(creation.identifier, &state))
    guard state == H5D_FILL_VALUE_USER_DEFINED else { return nil }
    var fill = 0.0
    try check("H5Pget_fill_value", subject, H5Pget_fill_value(creation.identifier, ddpm_hdf5_native_double(), &fill))
    return fill
  }

  /// Reads the elements of a box, in row-major order.
  ///
  /// Allocates memory for all of them.
  /// - Parameters:
  ///   - ranges: one for each dimension.
  ///   - chosen: on one axis, the indices to read instead of the axis's range; ascending, without repetition.
  package borrowing func read(
    _ ranges: [Range<Int>], choosing chosen: (axis: Int, indices: [Int])? = nil
  ) throws(HDF5Error) -> [Double] {
    var parts = [ranges]
    if let chosen {
      precondition(zip(chosen.indices, chosen.indices.dropFirst()).allSatisfy(<), "the indices must ascend")
      parts = chosen.indices.map { index in
        var part = ranges
        part[chosen.axis] = index..<index + 1
        return part
      }
    }
    precondition(
      parts.allSatisfy { part in
        part.count == shape.count && zip(part, shape).allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= $1 }
      }, "the dataset has no such elements")
    let count = parts.map { $0.map(\.count).reduce(1, *) }.reduce(0, +)
    if count == 0 { return [] }
    let file = try Handle(.dataspace, "H5Dget_space", subject, H5Dget_space(handle.identifier))
    if !shape.isEmpty {
      for (index, part) in parts.enumerated() {
        let status = H5Sselect_hyperslab(
          file.identifier, index == 0 ? H5S_SELECT_SET : H5S_SELECT_OR,
          part.map { hsize_t($0.lowerBound) }, nil, part.map { hsize_t($0.count) }, nil)
        try check("H5Sselect_hyperslab", subject, status)
      }
    }
    let memory = try makeDataspace([count], subject)
    let (dataset, subject) = (handle.identifier, subject)
    return try [Double](unsafeUninitializedCapacity: count) { (buffer, initialised) throws(HDF5Error) in
      let status = H5Dread(
        dataset, ddpm_hdf5_native_double(), memory.identifier, file.identifier, ddpm_hdf5_default_properties(),
        buffer.baseAddress)
      try check("H5Dread", subject, status)
      initialised = count
    }
  }
}

extension HDF5File {
  /// Opens a dataset of numbers. Throws, among others, for the reasons `noSuchObject` and `wrongType`.
  package borrowing func openNumbers(_ datasetPath: String) throws(HDF5Error) -> HDF5Numbers {
    try HDF5Numbers(openAnyDataset(datasetPath), subject(datasetPath))
  }

  /// The values of an attribute of one or more numbers of any type.
  package borrowing func readAttribute(
    _ name: String, of objectPath: String = "/", as _: [Double].Type
  ) throws(HDF5Error) -> [Double] {
    let subject = subject(objectPath, attribute: name)
    let attribute = try openAnyAttribute(name, of: objectPath)
    let datatype = try Handle(.datatype, "H5Aget_type", subject, H5Aget_type(attribute.identifier))
    guard HDF5Numbers.Storage(of: datatype) != nil else {
      throw HDF5Error("H5Aread", subject, .wrongType, "this is not a number")
    }
    let count = try valueCount(of: attribute, subject)
    // A larger count is more likely the result of damage.
    guard count <= 1 << 16 else {
      throw HDF5Error("H5Aread", subject, .wrongType, "\(count) numbers are too many")
    }
    if count == 0 { return [] }
    var numbers = [Double](repeating: 0, count: count)
    try check("H5Aread", subject, H5Aread(attribute.identifier, ddpm_hdf5_native_double(), &numbers))
    return numbers
  }

  /// Whether a file starts with HDF5's signature, or has it after a user block, as MATLAB's files do (HDF5 File Format
  /// Specification, section II.A).
  package static func isHDF5(_ path: String) -> Bool {
    guard let file = try? RegularFile(path) else { return false }
    var offset = 0
    while offset + signature.count <= file.size {
      if (try? file.bytes(from: offset, count: signature.count)) == signature { return true }
      offset = offset == 0 ? 512 : 2 * offset
    }
    return false
  }
}

/// Whether a type is the enumeration of FALSE and TRUE, 0 and 1 in a byte.
private func isBoolean(_ datatype: borrowing Handle) -> Bool {
  let type = datatype.identifier
  guard H5Tget_size(type) == 1, H5Tget_nmembers(type) == 2 else { return false }
  func value(of name: String) -> UInt8? {
    var value: UInt8 = 0
    return H5Tenum_valueof(type, name, &value) >= 0 ? value : nil
  }
  return value(of: "FALSE") == 0 && value(of: "TRUE") == 1
}

/// What elements of a type other than numbers are, in words.
private func kind(of datatype: borrowing Handle) -> String {
  switch H5Tget_class(datatype.identifier) {
  case H5T_STRING: "texts"
  case H5T_COMPOUND: "of several parts (compound), as complex numbers are"
  case H5T_ENUM: "of an enumeration"
  case H5T_BITFIELD: "bit fields"
  case H5T_REFERENCE: "references"
  case H5T_VLEN: "lists of any length"
  case H5T_ARRAY: "arrays"
  default: "of an unknown type"
  }
}
