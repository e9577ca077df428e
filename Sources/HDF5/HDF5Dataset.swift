import CHDF5

/// An open dataset: a rectangular array of numbers in a file.
///
/// Close it before its file, or let it go out of scope before. Elements are counted in row-major order, so a range of
/// elements means the same whatever the shape. In a file that ranks share, an operation with `collective: true` must
/// be called by all of them, each with its own range, which may be empty; in other files the flag is without effect.
public struct HDF5Dataset: ~Copyable {
  public let shape: [Int]
  public let type: ElementType
  private let subject: String
  private let isShared: Bool
  private let handle: Handle

  /// Takes over an open dataset and asks it for its shape and type.
  init(_ handle: consuming Handle, _ subject: String, isShared: Bool) throws(HDF5Error) {
    let dataspace = try Handle(.dataspace, "H5Dget_space", subject, H5Dget_space(handle.identifier))
    let dimensionCount = try check(
      "H5Sget_simple_extent_ndims", subject, H5Sget_simple_extent_ndims(dataspace.identifier))
    var dimensions = [hsize_t](repeating: 0, count: Int(dimensionCount))
    try check(
      "H5Sget_simple_extent_dims", subject, H5Sget_simple_extent_dims(dataspace.identifier, &dimensions, nil))
    let datatype = try Handle(.datatype, "H5Dget_type", subject, H5Dget_type(handle.identifier))
    guard let type = ElementType(of: datatype.identifier) else {
      throw HDF5Error("H5Dget_type", subject, .wrongType, "the elements are of a type that is not supported")
    }
    self.shape = dimensions.map(Int.init)
    self.type = type
    self.subject = subject
    self.isShared = isShared
    self.handle = handle
  }

  /// The number of elements; 1 for a scalar.
  public var count: Int { shape.reduce(1, *) }

  /// Closes the dataset. In a file that ranks share they all close it.
  public consuming func close() throws(HDF5Error) {
    let subject = subject
    try handle.close(subject)
  }

  /// Writes the elements `flatRange` from memory that holds them one after the other.
  ///
  /// - Parameter elements: may be nil if the range is empty.
  public borrowing func write(
    flatRange: Range<Int>, from elements: UnsafeRawPointer?, collective: Bool = false
  ) throws(HDF5Error) {
    let plan = try TransferPlan(flatRange, of: self, collective: collective)
    let status = H5Dwrite(
      handle.identifier, type.inMemory, plan.memory.identifier, plan.file.identifier, plan.properties.identifier,
      elements)
    try check("H5Dwrite", subject, status)
  }

  /// Reads the elements `flatRange` into memory, one after the other.
  ///
  /// - Parameter elements: may be nil if the range is empty.
  public borrowing func read(
    flatRange: Range<Int>, into elements: UnsafeMutableRawPointer?, collective: Bool = false
  ) throws(HDF5Error) {
    let plan = try TransferPlan(flatRange, of: self, collective: collective)
    let status = H5Dread(
      handle.identifier, type.inMemory, plan.memory.identifier, plan.file.identifier, plan.properties.identifier,
      elements)
    try check("H5Dread", subject, status)
  }

  /// Writes all elements. `bytes` must be exactly as long as they are.
  public borrowing func writeAll(_ bytes: UnsafeRawBufferPointer, collective: Bool = false) throws(HDF5Error) {
    precondition(bytes.count == count * type.byteCount, "the dataset takes \(count * type.byteCount) bytes")
    try write(flatRange: 0..<count, from: bytes.baseAddress, collective: collective)
  }

  /// Reads all elements. `bytes` must be exactly as long as they are.
  public borrowing func readAll(into bytes: UnsafeMutableRawBufferPointer, collective: Bool = false) throws(HDF5Error) {
    precondition(bytes.count == count * type.byteCount, "the dataset gives \(count * type.byteCount) bytes")
    try read(flatRange: 0..<count, into: bytes.baseAddress, collective: collective)
  }

  /// Writes all elements. Throws if the dataset holds another type or number of them.
  public borrowing func writeAll<Element: HDF5Element>(
    _ elements: [Element], collective: Bool = false
  ) throws(HDF5Error) {
    try requireType(Element.self, "H5Dwrite")
    guard elements.count == count else {
      throw HDF5Error("H5Dwrite", subject, .wrongType, "it has \(count) elements, not \(elements.count)")
    }
    let outcome = elements.withUnsafeBytes { bytes in
      Result { () throws(HDF5Error) in try writeAll(bytes, collective: collective) }
    }
    try outcome.get()
  }

  /// Reads all elements. Throws if the dataset holds another type of them.
  public borrowing func readAll<Element: HDF5Element>(
    as _: Element.Type, collective: Bool = false
  ) throws(HDF5Error) -> [Element] {
    try read(flatRange: 0..<count, as: Element.self, collective: collective)
  }

  /// Reads the elements `flatRange`. Throws if the dataset holds another type of them.
  public borrowing func read<Element: HDF5Element>(
    flatRange: Range<Int>, as _: Element.Type, collective: Bool = false
  ) throws(HDF5Error) -> [Element] {
    try requireType(Element.self, "H5Dread")
    var outcome = Result<Void, HDF5Error>.success(())
    let elements = [Element](unsafeUninitializedCapacity: flatRange.count) { buffer, initializedCount in
      outcome = Result { () throws(HDF5Error) in
        try read(flatRange: flatRange, into: buffer.baseAddress, collective: collective)
        initializedCount = flatRange.count
      }
    }
    try outcome.get()
    return elements
  }

  private borrowing func requireType<Element: HDF5Element>(_: Element.Type, _ call: String) throws(HDF5Error) {
    guard type == Element.elementType else {
      throw HDF5Error(call, subject, .wrongType, "it holds \(type), not \(Element.elementType)")
    }
  }

  /// What the library wants to know about a transfer besides the elements.
  private struct TransferPlan: ~Copyable {
    let memory: Handle
    let file: Handle
    let properties: Handle

    init(_ range: Range<Int>, of dataset: borrowing HDF5Dataset, collective: Bool) throws(HDF5Error) {
      precondition(range.lowerBound >= 0 && range.upperBound <= dataset.count, "the dataset has no such elements")
      let subject = dataset.subject
      let file = try Handle(.dataspace, "H5Dget_space", subject, H5Dget_space(dataset.handle.identifier))
      try select(range, of: dataset.shape, in: file, subject)
      var elementCount = hsize_t(range.count)
      let memory = try Handle(.dataspace, "H5Screate_simple", subject, H5Screate_simple(1, &elementCount, nil))
      let properties = try PropertyLists.transfer(collective: collective && dataset.isShared, subject)
      self.memory = memory
      self.file = file
      self.properties = properties
    }
  }
}
