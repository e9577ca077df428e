import CHDF5
import Files
import MessagePassing
import Tensors

/// An open dataset: a rectangular array of numbers in a file.
///
/// Close it, or let it go out of scope, before its file is closed. Elements are counted in row-major order, so a range
/// of elements means the same whatever the shape. In a file that ranks share, an operation with `collective: true` must
/// be called by all of them, each with its own range, which may be empty; in other files the flag has no effect.
package struct HDF5Dataset: ~Copyable {
  package let shape: [Int]
  package let type: ElementType
  /// The maximum number of bytes per call into the library; longer ranges take several calls. MPI-IO's counts have 32
  /// bits, and HDF5 1.10 rejects larger ones.
  package var transferLimit = 1 << 29
  let subject: String
  private let communicator: Communicator?
  let handle: Handle

  /// Takes over an open dataset and reads its shape and type.
  init(_ handle: consuming Handle, _ subject: String, _ communicator: Communicator?) throws(HDF5Error) {
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
    self.communicator = communicator
    self.handle = handle
  }

  /// The number of elements; 1 for a scalar.
  package var count: Int { shape.reduce(1, *) }

  /// The offset in bytes of the elements in the file, if they are contiguous and can be read without the library; nil
  /// if they are chunked, compressed or stored elsewhere.
  package borrowing func contiguousOffset() throws(HDF5Error) -> Int? {
    let creation = try creationProperties(of: handle, subject)
    guard H5Pget_layout(creation.identifier) == H5D_CONTIGUOUS, H5Pget_external_count(creation.identifier) == 0 else {
      return nil
    }
    // All bits are one if nothing is allocated.
    return Int(exactly: H5Dget_offset(handle.identifier))
  }

  /// Closes the dataset. In a file that ranks share, all ranks close it.
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
    flatRanges: [Range<Int>], from elements: TypedTensor<Element>, collective: Bool = false
  ) throws(HDF5Error) {
    try requireType(Element.self, .write)
    try transfer(.write, flatRanges, elements, collective: collective)
  }

  /// Writes the elements of some ranges, from an array.
  package borrowing func write<Element: HDF5Element>(
    flatRanges: [Range<Int>], from elements: [Element], collective: Bool = false
  ) throws(HDF5Error) {
    try requireType(Element.self, .write)
    try elements.withUnsafeBufferPointer { (elements) throws(HDF5Error) in
      let bytes = UnsafeMutableRawBufferPointer(mutating: UnsafeRawBufferPointer(elements))
      try transfer(.write, flatRanges, bytes, collective: collective)
    }
  }

  /// Writes all elements. Throws if the dataset has a different type or number of elements.
  package borrowing func writeAll<Element: HDF5Element>(
    _ elements: [Element], collective: Bool = false
  ) throws(HDF5Error) {
    try requireType(Element.self, .write)
    guard elements.count == count else {
      throw HDF5Error("H5Dwrite", subject, .wrongType, "it has \(count) elements, not \(elements.count)")
    }
    try write(flatRanges: [0..<count], from: elements, collective: collective)
  }

  /// Writes the elements of some ranges as they lie in memory, of whatever type they are.
  package borrowing func writeBytes(
    flatRanges: [Range<Int>], from bytes: ByteTensor, collective: Bool = false
  ) throws(HDF5Error) {
    try transfer(.write, flatRanges, bytes, collective: collective)
  }

  // MARK: Reading

  /// Reads the elements of some ranges.
  ///
  /// - Parameters:
  ///   - flatRanges: from left to right, without overlap.
  ///   - elements: overwritten with those of all ranges, one after the other.
  package borrowing func read<Element: HDF5Element>(
    flatRanges: [Range<Int>], into elements: TypedTensor<Element>, collective: Bool = false
  ) throws(HDF5Error) {
    try requireType(Element.self, .read)
    try transfer(.read, flatRanges, elements, collective: collective)
  }

  /// Reads the elements of some ranges as they lie in memory, of whatever type they are.
  package borrowing func readBytes(
    flatRanges: [Range<Int>], into bytes: ByteTensor, collective: Bool = false
  ) throws(HDF5Error) {
    try transfer(.read, flatRanges, bytes, collective: collective)
  }

  /// Reads all elements. Throws if the dataset has a different type.
  package borrowing func readAll<Element: HDF5Element>(
    as _: Element.Type, collective: Bool = false
  ) throws(HDF5Error) -> [Element] {
    try requireStored(handle, elements: count, ofBytes: type.byteCount, subject)
    return try read(flatRange: 0..<count, as: Element.self, collective: collective)
  }

  /// Reads the elements `flatRange`. Throws if the dataset has a different type.
  package borrowing func read<Element: HDF5Element>(
    flatRange: Range<Int>, as _: Element.Type, collective: Bool = false
  ) throws(HDF5Error) -> [Element] {
    try requireType(Element.self, .read)
    return try [Element](unsafeUninitializedCapacity: flatRange.count) { (buffer, initializedCount) throws(HDF5Error) in
      let bytes = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<flatRange.count]))
      try transfer(.read, [flatRange], bytes, collective: collective)
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
    _ call: Call, _ ranges: [Range<Int>], _ elements: TypedTensor<Element>, collective: Bool
  ) throws(HDF5Error) {
    try elements.withUnsafeMutableBytes { (bytes) throws(HDF5Error) in
      try transfer(call, ranges, bytes, collective: collective)
    }
  }

  /// Transfers the elements of some ranges in pieces that respect the limit.
  ///
  /// If the operation is collective, all ranks perform the same number of calls, the last of which may be empty. A rank
  /// whose piece fails takes part in the remaining calls with empty pieces, so that the others do not wait for it.
  private borrowing func transfer(
    _ call: Call, _ ranges: [Range<Int>], _ bytes: UnsafeMutableRawBufferPointer, collective: Bool
  ) throws(HDF5Error) {
    precondition(ranges.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= count }, "the dataset has no such elements")
    let total = ranges.reduce(0) { $0 + $1.count }
    let size = type.byteCount
    precondition(bytes.count == total * size, "\(total * size) bytes for elements in \(bytes.count)")
    let limit = max(transferLimit / size, 1)
    var pieceCount = (total + limit - 1) / limit
    let shared = collective ? communicator : nil
    if let shared { pieceCount = try largest(pieceCount, over: shared) }
    var failure: HDF5Error?
    for piece in 0..<pieceCount {
      let start = failure == nil ? min(piece * limit, total) : total
      let end = min(start + limit, total)
      do throws(HDF5Error) {
        let memory = bytes.baseAddress.map { $0 + start * size }
        try transferPiece(call, part(start..<end, of: ranges), memory, collective: shared != nil)
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }

  private borrowing func transferPiece(
    _ call: Call, _ ranges: [Range<Int>], _ memory: UnsafeMutableRawPointer?, collective: Bool
  ) throws(HDF5Error) {
    let file = try Handle(.dataspace, "H5Dget_space", subject, H5Dget_space(handle.identifier))
    try select(ranges, of: shape, in: file, subject)
    let elements = try makeDataspace([ranges.reduce(0) { $0 + $1.count }], subject)
    let properties = try PropertyLists.transfer(collective: collective, subject)
    let (dataset, type) = (handle.identifier, type.libraryTypes.memory)
    let status =
      switch call {
      case .read: H5Dread(dataset, type, elements.identifier, file.identifier, properties.identifier, memory)
      case .write: H5Dwrite(dataset, type, elements.identifier, file.identifier, properties.identifier, memory)
      }
    try check(call.rawValue, subject, status)
  }

  private borrowing func largest(_ count: Int, over communicator: Communicator) throws(HDF5Error) -> Int {
    do throws(MPIError) {
      return try communicator.allReduceMaximum(count)
    } catch {
      throw HDF5Error(error.call, subject, .other, error.message)
    }
  }
}
