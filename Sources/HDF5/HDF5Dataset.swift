import CHDF5
import MessagePassing
import Tensors

/// An open dataset: a rectangular array of numbers in a file.
///
/// Close it, or let it go out of scope, before its file is closed. Elements are counted in row-major order, so a range
/// of elements means the same whatever the shape. In a file that ranks share, an operation with `collective: true` must
/// be called by all of them, each with its own range, which may be empty; in other files the flag has no effect.
public struct HDF5Dataset: ~Copyable {
  public let shape: [Int]
  public let type: ElementType
  /// The maximum number of bytes per call into the library; longer ranges take several calls. MPI-IO's counts have 32
  /// bits, and HDF5 1.10 rejects larger ones.
  public var transferLimit = 1 << 29
  let subject: String
  private let communicator: Communicator?
  let handle: Handle

  /// Takes over an open dataset and reads its shape and type.
  init(_ handle: consuming Handle, _ subject: String, _ communicator: Communicator?) throws(HDF5Error) {
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
    // Ensures that element and byte counts below do not overflow.
    let shape = dimensions.map { Int(clamping: $0) }
    guard sizeInMemory(shape, type) != nil else {
      throw HDF5Error("H5Sget_simple_extent_dims", subject, .wrongType, "its shape is impossible: \(shape)")
    }
    self.shape = shape
    self.type = type
    self.subject = subject
    self.communicator = communicator
    self.handle = handle
  }

  /// The number of elements; 1 for a scalar.
  public var count: Int { shape.reduce(1, *) }

  /// The offset in bytes of the elements in the file, if they are contiguous and can be read without the library; nil
  /// if they are chunked, compressed or stored elsewhere.
  public borrowing func contiguousOffset() throws(HDF5Error) -> Int? {
    let creation = try creationProperties()
    guard H5Pget_layout(creation.identifier) == H5D_CONTIGUOUS, H5Pget_external_count(creation.identifier) == 0 else {
      return nil
    }
    // All bits are one if nothing is allocated.
    return Int(exactly: H5Dget_offset(handle.identifier))
  }

  /// The properties with which the dataset was created.
  borrowing func creationProperties() throws(HDF5Error) -> Handle {
    try Handle(.propertyList, "H5Dget_create_plist", subject, H5Dget_create_plist(handle.identifier))
  }

  /// Closes the dataset. In a file that ranks share, all ranks close it.
  public consuming func close() throws(HDF5Error) {
    let subject = subject
    try handle.close(subject)
  }

  /// Writes the elements of some ranges.
  ///
  /// - Parameters:
  ///   - flatRanges: from left to right, without overlap.
  ///   - elements: of all ranges, one after the other.
  public borrowing func write<Element: HDF5Element>(
    flatRanges: [Range<Int>], from elements: TypedTensor<Element>, collective: Bool = false
  ) throws(HDF5Error) {
    try requireType(Element.self, "H5Dwrite")
    try elements.withUnsafeBytes { (bytes) throws(HDF5Error) in
      try write(flatRanges: flatRanges, from: bytes, collective: collective)
    }
  }

  /// Writes the elements `flatRange`.
  public borrowing func write<Element: HDF5Element>(
    flatRange: Range<Int>, from elements: TypedTensor<Element>, collective: Bool = false
  ) throws(HDF5Error) {
    try write(flatRanges: [flatRange], from: elements, collective: collective)
  }

  /// Writes the elements `flatRange`.
  public borrowing func write<Element: HDF5Element>(
    flatRange: Range<Int>, from elements: [Element], collective: Bool = false
  ) throws(HDF5Error) {
    try requireType(Element.self, "H5Dwrite")
    let outcome = elements.withUnsafeBytes { bytes in
      Result { () throws(HDF5Error) in try write(flatRanges: [flatRange], from: bytes, collective: collective) }
    }
    try outcome.get()
  }

  /// Writes all elements. Throws if the dataset has a different type or number of elements.
  public borrowing func writeAll<Element: HDF5Element>(
    _ elements: [Element], collective: Bool = false
  ) throws(HDF5Error) {
    try requireType(Element.self, "H5Dwrite")
    guard elements.count == count else {
      throw HDF5Error("H5Dwrite", subject, .wrongType, "it has \(count) elements, not \(elements.count)")
    }
    try write(flatRange: 0..<count, from: elements, collective: collective)
  }

  /// Writes the elements of some ranges as they lie in memory, of whatever type they are.
  public borrowing func writeBytes(
    flatRanges: [Range<Int>], from bytes: ByteTensor, collective: Bool = false
  ) throws(HDF5Error) {
    try bytes.withUnsafeBytes { (bytes) throws(HDF5Error) in
      try write(flatRanges: flatRanges, from: bytes, collective: collective)
    }
  }

  private borrowing func write(
    flatRanges: [Range<Int>], from bytes: UnsafeRawBufferPointer, collective: Bool
  ) throws(HDF5Error) {
    requireRoom(for: flatRanges, in: bytes.count)
    try forEachTransfer(of: flatRanges, collective: collective) { (transfer, offset) throws(HDF5Error) in
      let status = H5Dwrite(
        handle.identifier, type.inMemory, transfer.memory.identifier, transfer.file.identifier,
        transfer.properties.identifier, bytes.baseAddress.map { $0 + offset })
      try check("H5Dwrite", subject, status)
    }
  }

  /// Reads the elements of some ranges.
  ///
  /// - Parameters:
  ///   - flatRanges: from left to right, without overlap.
  ///   - elements: overwritten with those of all ranges, one after the other.
  public borrowing func read<Element: HDF5Element>(
    flatRanges: [Range<Int>], into elements: TypedTensor<Element>, collective: Bool = false
  ) throws(HDF5Error) {
    try requireType(Element.self, "H5Dread")
    try elements.withUnsafeMutableBytes { (bytes) throws(HDF5Error) in
      try read(flatRanges: flatRanges, into: bytes, collective: collective)
    }
  }

  /// Reads the elements of some ranges as they lie in memory, of whatever type they are.
  public borrowing func readBytes(
    flatRanges: [Range<Int>], into bytes: ByteTensor, collective: Bool = false
  ) throws(HDF5Error) {
    try bytes.withUnsafeMutableBytes { (bytes) throws(HDF5Error) in
      try read(flatRanges: flatRanges, into: bytes, collective: collective)
    }
  }

  /// Reads all elements. Throws if the dataset has a different type.
  public borrowing func readAll<Element: HDF5Element>(
    as _: Element.Type, collective: Bool = false
  ) throws(HDF5Error) -> [Element] {
    try requireStored()
    return try read(flatRange: 0..<count, as: Element.self, collective: collective)
  }

  /// Reads the elements `flatRange`. Throws if the dataset has a different type.
  public borrowing func read<Element: HDF5Element>(
    flatRange: Range<Int>, as _: Element.Type, collective: Bool = false
  ) throws(HDF5Error) -> [Element] {
    try requireType(Element.self, "H5Dread")
    var outcome = Result<Void, HDF5Error>.success(())
    let elements = [Element](unsafeUninitializedCapacity: flatRange.count) { buffer, initializedCount in
      let bytes = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<flatRange.count]))
      outcome = Result { () throws(HDF5Error) in
        try read(flatRanges: [flatRange], into: bytes, collective: collective)
        initializedCount = flatRange.count
      }
    }
    try outcome.get()
    return elements
  }

  private borrowing func read(
    flatRanges: [Range<Int>], into bytes: UnsafeMutableRawBufferPointer, collective: Bool
  ) throws(HDF5Error) {
    requireRoom(for: flatRanges, in: bytes.count)
    try forEachTransfer(of: flatRanges, collective: collective) { (transfer, offset) throws(HDF5Error) in
      let status = H5Dread(
        handle.identifier, type.inMemory, transfer.memory.identifier, transfer.file.identifier,
        transfer.properties.identifier, bytes.baseAddress.map { $0 + offset })
      try check("H5Dread", subject, status)
    }
  }

  private borrowing func requireRoom(for ranges: [Range<Int>], in byteCount: Int) {
    let needed = ranges.reduce(0) { $0 + $1.count } * type.byteCount
    precondition(byteCount == needed, "\(needed) bytes for elements in \(byteCount)")
  }

  private borrowing func requireType<Element: HDF5Element>(_: Element.Type, _ call: String) throws(HDF5Error) {
    guard type == Element.elementType else {
      throw HDF5Error(call, subject, .wrongType, "it holds \(type), not \(Element.elementType)")
    }
  }

  /// Calls `body` for consecutive pieces of some ranges that respect the limit, with each piece's offset in memory in
  /// bytes.
  ///
  /// If the operation is collective, all ranks perform the same number of calls, the last of which may be empty. A rank
  /// whose piece fails takes part in the remaining calls with empty pieces, so that the others do not wait for it.
  private borrowing func forEachTransfer(
    of ranges: [Range<Int>], collective: Bool,
    _ body: (borrowing Transfer, _ offset: Int) throws(HDF5Error) -> Void
  ) throws(HDF5Error) {
    precondition(ranges.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= count }, "the dataset has no such elements")
    let limit = max(transferLimit / type.byteCount, 1)
    let total = ranges.reduce(0) { $0 + $1.count }
    var pieceCount = (total + limit - 1) / limit
    let shared = collective ? communicator : nil
    if let shared { pieceCount = try largest(pieceCount, over: shared) }
    var failure: HDF5Error?
    for piece in 0..<pieceCount {
      let start = failure == nil ? min(piece * limit, total) : total
      let end = min(start + limit, total)
      do throws(HDF5Error) {
        let transfer = try Transfer(part(start..<end, of: ranges), of: self, collective: shared != nil)
        try body(transfer, start * type.byteCount)
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }

  private borrowing func largest(_ count: Int, over communicator: Communicator) throws(HDF5Error) -> Int {
    do throws(MPIError) {
      return try communicator.allReduceMaximum(count)
    } catch {
      throw HDF5Error(error.call, subject, .other, error.message)
    }
  }

  /// The library's parameters of a transfer besides the elements.
  private struct Transfer: ~Copyable {
    let memory: Handle
    let file: Handle
    let properties: Handle

    init(_ ranges: [Range<Int>], of dataset: borrowing HDF5Dataset, collective: Bool) throws(HDF5Error) {
      let subject = dataset.subject
      let file = try Handle(.dataspace, "H5Dget_space", subject, H5Dget_space(dataset.handle.identifier))
      try select(ranges, of: dataset.shape, in: file, subject)
      var elementCount = hsize_t(ranges.reduce(0) { $0 + $1.count })
      let memory = try Handle(.dataspace, "H5Screate_simple", subject, H5Screate_simple(1, &elementCount, nil))
      let properties = try PropertyLists.transfer(collective: collective, subject)
      self.memory = memory
      self.file = file
      self.properties = properties
    }
  }
}

/// The size of elements in memory; nil if it overflows.
private func sizeInMemory(_ shape: [Int], _ type: ElementType) -> Int? {
  // A zero among large dimensions would hide that their product overflows.
  shape.map { max($0, 1) }.reduce(type.byteCount) { product, length in
    let (next, overflows) = (product ?? 0).multipliedReportingOverflow(by: length)
    return product == nil || overflows ? nil : next
  }
}
