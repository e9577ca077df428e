import FoundationEssentials

extension NumpyArchive {
  /// An array to write.
  package struct Array: Sendable {
    let name: String
    let header: NumpyHeader
    let elements: [UInt8]

    /// - Parameter values: the elements in row-major order.
    package init(_ name: String, shape: [Int], _ values: [Double]) {
      precondition(shape.reduce(1, *) == values.count, "\(name) must have the elements of its shape")
      self.init(name, NumpyHeader(type: "<f8", shape: shape), words: values.map(\.bitPattern))
    }

    package init(_ name: String, integer: Int) {
      self.init(name, NumpyHeader(type: "<i8", shape: []), words: [UInt64(bitPattern: Int64(integer))])
    }

    package init(_ name: String, text: String) {
      // NumPy has no string type of length zero.
      let characters = text.isEmpty ? [0] : text.unicodeScalars.map(\.value)
      self.init(name, NumpyHeader(type: "<U\(characters.count)", shape: []), words: characters)
    }

    private init(_ name: String, _ header: NumpyHeader, words: [some FixedWidthInteger]) {
      self.name = name
      self.header = header
      elements = words.map(\.littleEndian).withUnsafeBytes { Swift.Array($0) }
    }
  }

  /// The contents of a file with `arrays`, in their order, as written by `numpy.savez`. The same arrays give the same
  /// bytes.
  ///
  /// - Parameter path: the name of the file in messages.
  /// - Throws: `InterchangeError` if there is not enough memory.
  package static func contents(of arrays: [Array], path: String) throws(InterchangeError) -> Data {
    precondition(Set(arrays.map(\.name)).count == arrays.count, "each name must occur once")
    return try ZipArchive.contents(of: arrays.map { ("\($0.name).npy", $0.header.bytes + $0.elements) }, path: path)
  }
}
