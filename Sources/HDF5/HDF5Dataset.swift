import CHDF5
import Files
import Tensors

/// An open dataset: a rectangular array of numbers in a file.
///
/// Close it, or let it go out of scope, before its file is closed. Elements are counted in row-major order, so a range
/// of elements means the same whatever the shape.
package struct HDF5Dataset: ~Copyable {
  package let shape: [Int]
  package let type: ElementType
  let subject: String
  let handle: Handle

  /// Takes over an open dataset and reads its shape and type.
  init(_ handle: consuming Handle, _ subject: String) throws(HDF5Error) {
    let shape = try HDF5.shape(of: handle, subject)
    let datatype = try Handle(.datatype, "H5Dget_type", subject, H5Dget_type(handle.identifier))
    guard let type = ElementType(of: datatype.identifier) else {
      throw HDF5Error("H5Dget_type", subject, .wrongType, "the elements are of a type that is not supported")
    }
    // Ensures that element and byte counts below do not overflow. A zero among large dimensions would hide that their
    // product does.
    guard checkedProduct([type.byteCount] + shape.map { max($0, 1) }) != nil else {
      throw HDF5Error("H5Sget_simple_extent_dims", subject, .wrongType, "its shape is impossible: \(shape)")
    }
    self.shape = shape
    self.type = type
    self.subject = subject
    self.handle = handle
  }

  /// The number of elements; 1 for a scalar.
  package var count: Int { shape.reduce(1, *) }

  /// Closes the dataset.
  package consuming func close() throws(HDF5Error) {
    let subject = subject
    try handle.close(subject)
  }

  // MARK: Writing

  /// Writes the elements of some ranges.
  ///
  /// - Parameters:
  ///   - flatRanges: from left to right, without overlap.
  ///   - elements: of all ranges, one after the other.
  package borrowing func write<Element: HDF5Element>(
    flatRanges: [Range<Int>], from elements: TypedTensor<Element>
  ) throws(HDF5Error) {
    try requireType(Element.self, .write)
    try transfer(.write, flatRanges, elements)
  }

  /// Writes the elements of some ranges, from an array.
  package borrowing func write<Element: HDF5Element>(
    flatRanges: [Range<Int>], from elements: [Element]
  ) throws(HDF5Error) {
    try requireType(Element.self, .write)
    try elements.withUnsafeBufferPointer { (elements) throws(HDF5Error) in
      let bytes = UnsafeMutableRawBufferPointer(mutating: UnsafeRawBufferPointer(elements))
      try transfer(.write, flatRanges, bytes)
    }
  }

  /// Writes all elements. Throws if the dataset has a different type or number of elements.
  package borrowing func writeAll<Element: HDF5Element>(
    _ elements: [Element]
  ) throws(HDF5Error) {
    try requireType(Element.self, .write)
    guard elements.count == count else {
      throw HDF5Error("H5Dwrite", subject, .wrongType, "it has \(count) elements, not \(elements.count)")
    }
    try write(flatRanges: [0..<count], from: elements)
  }

  /// Writes the elements of some ranges as they lie in memory, of whatever type they are.
  package borrowing func writeBytes(
    flatRanges: [Range<Int>], from bytes: ByteTensor
  ) throws(HDF5Error) {
    try transfer(.write, flatRanges, bytes)
  }

  // MARK: Reading

  /// Reads the elements of some ranges.
  ///
  /// - Parameters:
  ///   - flatRanges: from left to right, without overlap.
  ///   - elements: overwritten with those of all ranges, one after the other.
  package borrowing func read<Element: HDF5Element>(
    flatRanges: [Range<Int>], into elements: TypedTensor<Element>
  ) throws(HDF5Error) {
    try requireType(Element.self, .read)
    try transfer(.read, flatRanges, elements)
  }

  /// Reads the elements of some ranges as they lie in memory, of whatever type they are.
  package borrowing func readBytes(
    flatRanges: [Range<Int>], into bytes: ByteTensor
  ) throws(HDF5Error) {
    try transfer(.read, flatRanges, bytes)
  }

  /// Reads all elements. Throws if the dataset has a different type.
  package borrowing func readAll<Element: HDF5Element>(
    as _: Element.Type
  ) throws(HDF5Error) -> [Element] {
    try requireStored(handle, elements: count, ofBytes: type.byteCount, subject)
    return try read(flatRange: 0..<count, as: Element.self)
  }

  /// Reads the elements `flatRange`. Throws if the dataset has a different type.
  package borrowing func read<Element: HDF5Element>(
    flatRange: Range<Int>, as _: Element.Type
  ) throws(HDF5Error) -> [Element] {
    try requireType(Element.self, .read)
    return try [Element](unsafeUninitializedCapacity: flatRange.count) { (buffer, initializedCount) throws(HDF5Error) in
      let bytes = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<flatRange.count]))
      try transfer(.read, [flatRange], bytes)
      initializedCount = flatRange.count
    }
  }

  // MARK: Transfers

  /// The library's two functions for elements.
  private enum Call: String {
    case read = "H5Dread"
    case write = "H5Dwrite"
  }

  private borrowing func requireType<Element: HDF5Element>(_: Element.Type, _ call: Call) throws(HDF5Error) {
    guard type == Element.elementType else {
      throw HDF5Error(call.rawValue, subject, .wrongType, "it holds \(type), not \(Element.elementType)")
    }
  }

  private borrowing func transfer<Element>(
    _ call: Call, _ ranges: [Range<Int>], _ elements: TypedTensor<Element>
  ) throws(HDF5Error) {
    try elements.withUnsafeMutableBytes { (bytes) throws(HDF5Error) in
      try transfer(call, ranges, bytes)
    }
  }

  /// Transfers the elements of some ranges.
  private borrowing func transfer(
    _ call: Call, _ ranges: [Range<Int>], _ bytes: UnsafeMutableRawBufferPointer
  ) throws(HDF5Error) {
    precondition(ranges.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= count }, "the dataset has no such elements")
    let total = ranges.reduce(0) { $0 + $1.count }
    precondition(
      bytes.count == total * type.byteCount, "\(total * type.byteCount) bytes for elements in \(bytes.count)")
    if total == 0 { return }
    let file = try Handle(.dataspace, "H5Dget_space", subject, H5Dget_space(handle.identifier))
    try select(ranges, of: shape, in: file, subject)
    let elements = try makeDataspace([total], subject)
    let (dataset, numbers, properties) = (handle.identifier, type.libraryTypes.memory, ddpm_hdf5_default_properties())
    let memory = bytes.baseAddress
    let status =
      switch call {
      case .read: H5Dread(dataset, numbers, elements.identifier, file.identifier, properties, memory)
      case .write: H5Dwrite(dataset, numbers, elements.identifier, file.identifier, properties, memory)
      }
    try check(call.rawValue, subject, status)
  }
}
