import Foundation

extension NumpyArchive {
  /// An array to be written.
  public struct Array: Sendable {
    let name: String
    let header: NumpyHeader
    let elements: [UInt8]

    /// - Parameter values: row-major in the shape.
    public init(_ name: String, shape: [Int], _ values: [Double]) {
      precondition(shape.reduce(1, *) == values.count, "\(name) has as many elements as its shape says")
      self.init(name, NumpyHeader(type: "<f8", shape: shape), words: values.map(\.bitPattern))
    }

    public init(_ name: String, integer: Int) {
      self.init(name, NumpyHeader(type: "<i8", shape: []), words: [UInt64(bitPattern: Int64(integer))])
    }

    public init(_ name: String, text: String) {
      // NumPy knows no text of no characters.
      let characters = text.isEmpty ? [0] : text.unicodeScalars.map(\.value)
      self.init(name, NumpyHeader(type: "<U\(characters.count)", shape: []), words: characters)
    }

    private init(_ name: String, _ header: NumpyHeader, words: [some FixedWidthInteger]) {
      self.name = name
      self.header = header
      #if _endian(big)
        let words = words.map(\.littleEndian)
      #endif
      elements = words.withUnsafeBytes { Swift.Array($0) }
    }
  }

  /// The bytes of a file with `arrays`, in their order, as `numpy.savez` writes it. The same arrays make the same bytes.
  ///
  /// - Parameter path: what messages call the file.
  /// - Throws: `InterchangeError` if the archive cannot be made, for want of memory.
  public static func contents(of arrays: [Array], path: String) throws(InterchangeError) -> Data {
    precondition(Set(arrays.map(\.name)).count == arrays.count, "each name occurs once")
    return try ZipArchive.contents(of: arrays.map { ("\($0.name).npy", $0.header.bytes + $0.elements) }, path: path)
  }
}
