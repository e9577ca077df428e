/// The IDX format of MNIST and its kin: two zero bytes, the element type (8 is unsigned byte), the number of
/// dimensions, each dimension as a big-endian 32-bit number, then the elements, row-major.
struct IDXFile {
  let dimensions: [Int]
  let elements: ArraySlice<UInt8>

  /// - Throws: `DatasetError` (`wrongMagic`, `truncated`, `trailingBytes`, and those of reading).
  init(path: String, dimensionCount: Int) throws {
    let bytes = try readFile(path)
    let magic = [0, 0, 8, UInt8(dimensionCount)]
    let headerSize = 4 + 4 * dimensionCount
    guard bytes.count >= headerSize else {
      throw DatasetError(.truncated, path, "the header takes \(headerSize) bytes, but the file has \(bytes.count)")
    }
    guard bytes.starts(with: magic) else {
      throw DatasetError(
        .wrongMagic, path,
        "an IDX file of bytes in \(dimensionCount) dimensions begins with \(magic), this one with \(bytes[..<4])",
        advice: "check that it is the file its name says")
    }
    dimensions = (0..<dimensionCount).map { dimension in
      bytes[4 + 4 * dimension..<8 + 4 * dimension].reduce(0) { $0 << 8 | Int($1) }
    }
    let (size, overflow) = dimensions.reduce((1, false)) { product, dimension in
      let (value, overflow) = product.0.multipliedReportingOverflow(by: dimension)
      return (value, product.1 || overflow)
    }
    elements = bytes[headerSize...]
    guard !overflow, elements.count >= size else {
      throw DatasetError(.truncated, path, "dimensions \(dimensions) do not fit \(elements.count) bytes of elements")
    }
    guard elements.count == size else {
      throw DatasetError(
        .trailingBytes, path, "dimensions \(dimensions) take \(size) bytes, but \(elements.count) follow the header")
    }
  }
}
