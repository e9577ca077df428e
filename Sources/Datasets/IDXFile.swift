/// The IDX format of MNIST and related data sets: two zero bytes, the element type (8 is unsigned byte), the number of
/// dimensions, each dimension as a big-endian 32-bit number, then the elements, row-major.
struct IDXFile {
  let dimensions: [Int]
  let elements: ArraySlice<UInt8>

  /// The type of its elements.
  enum ElementType: UInt8 {
    case byte = 8
    /// 32 bits, big-endian.
    case int = 12

    var byteCount: Int { self == .byte ? 1 : 4 }
  }

  /// - Throws: `DatasetError` (`wrongMagic`, `truncated`, `trailingBytes`, and those of reading).
  init(path: String, dimensionCount: Int, type: ElementType = .byte) throws {
    let bytes = try readFile(path)
    let magic = [0, 0, type.rawValue, UInt8(dimensionCount)]
    let headerSize = 4 + 4 * dimensionCount
    guard bytes.count >= headerSize else {
      throw DatasetError(.truncated, path, "the header takes \(headerSize) bytes, but the file has \(bytes.count)")
    }
    guard bytes.starts(with: magic) else {
      throw DatasetError(
        .wrongMagic, path,
        "an IDX file of \(type)s in \(dimensionCount) dimensions starts with \(magic), but this one with \(bytes[..<4])",
        advice: "check that it is the right file")
    }
    dimensions = (0..<dimensionCount).map { dimension in
      bytes[4 + 4 * dimension..<8 + 4 * dimension].reduce(0) { $0 << 8 | Int($1) }
    }
    let (size, overflow) = dimensions.reduce((type.byteCount, false)) { product, dimension in
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

extension IDXFamily {
  /// The class index of each image, from a file of labels.
  /// - Throws: `DatasetError`, among others `wrongLabel`.
  func classIndices(path: String) throws -> [UInt8] {
    let stored: [Int]
    if labels.hasSuffix("-int") {
      // One row per image, which starts with its class.
      let file = try IDXFile(path: path, dimensionCount: 2, type: .int)
      let rowSize = 4 * file.dimensions[1]
      guard rowSize > 0 else { throw DatasetError(.wrongDimensions, path, "there are no labels in it") }
      stored = stride(from: file.elements.startIndex, to: file.elements.endIndex, by: rowSize).map { start in
        Int(file.elements[start..<start + 4].reduce(Int32(0)) { $0 << 8 | Int32($1) })
      }
    } else {
      stored = try IDXFile(path: path, dimensionCount: 1).elements.map(Int.init)
    }
    try checkLabels(
      stored, firstLabel..<firstLabel + classNames.count, file: path,
      advice: "the file is damaged or belongs to another data set")
    return stored.map { UInt8($0 - firstLabel) }
  }
}
