import Files

/// An array of numbers of any kind in a file of NumPy's, by itself (`.npy`) or in an archive (`.npz`), which is read
/// piece by piece, so that it may be larger than memory. Only one thread may use it.
package final class NumpyNumbers {
  private enum Contents {
    case file(NumpyFile)
    /// A member of an archive, with the offset of its elements.
    case member(ZipMemberStream, start: Int)
  }

  package let path: String
  /// Empty for an array in a file of its own.
  package let name: String
  package let shape: [Int]
  package let type: NumberType
  private let isColumnMajor: Bool
  /// The size of the elements in the file.
  private let byteCount: Int
  private let contents: Contents

  /// The arrays of numbers of a file, in alphabetical order of their names, and for the names of the other arrays NumPy's
  /// names of their types. Whether an array can be read is found by `requireReadable`.
  /// - Throws: `InterchangeError` for a file that cannot be read or is of another format, for a single array of another
  ///   type, and for a member that is not an array.
  package static func arrays(
    in path: String
  ) throws(InterchangeError) -> (numbers: [NumpyNumbers], otherTypes: [String: String]) {
    if try isArray(path) {
      let file = try NumpyFile(readingFrom: path)
      guard let type = NumberType(numpyName: file.type) else {
        throw InterchangeError(
          path, "its elements are of type \(file.type), not \(NumberType.description)",
          advice: "convert it with NumPy's astype")
      }
      return ([NumpyNumbers(path, "", file.shape, type, file.isColumnMajor, file.elementBytes, .file(file))], [:])
    }
    var arrays: [NumpyNumbers] = []
    var otherTypes: [String: String] = [:]
    for member in try ZipFile(path).members.sorted(by: { $0.name < $1.name }) {
      let stream = try ZipMemberStream(member, of: path)
      let beginning = try stream.bytes(in: 0..<min(member.size, NumpyFile.headerLimit))
      guard member.name.hasSuffix(".npy"), let (header, start) = NumpyHeader.parse(beginning) else {
        throw InterchangeError(
          path, "its member \(member.name) is not a NumPy array", advice: "use a file written by numpy.savez")
      }
      let name = String(member.name.dropLast(4))
      guard let type = NumberType(numpyName: header.type) else {
        otherTypes[name] = header.type
        continue
      }
      arrays.append(
        NumpyNumbers(
          path, name, header.shape, type, header.isColumnMajor, member.size - start, .member(stream, start: start)))
    }
    return (arrays, otherTypes)
  }

  /// Whether a file is a NumPy array by itself.
  private static func isArray(_ path: String) throws(InterchangeError) -> Bool {
    do throws(FileError) {
      return try RegularFile(path).bytes(first: 6) == [0x93] + Array("NUMPY".utf8)
    } catch {
      throw InterchangeError(path, "cannot be opened: \(error.reason)", advice: "check the path and its permissions")
    }
  }

  private init(
    _ path: String, _ name: String, _ shape: [Int], _ type: NumberType, _ isColumnMajor: Bool, _ byteCount: Int,
    _ contents: Contents
  ) {
    self.path = path
    self.name = name
    self.shape = shape
    self.type = type
    self.isColumnMajor = isColumnMajor
    self.byteCount = byteCount
    self.contents = contents
  }

  /// - Throws: `InterchangeError` if the array's size does not match its shape, or the order of its elements does not
  ///   allow reading it in pieces.
  package func requireReadable() throws(InterchangeError) {
    let subject = name.isEmpty ? "the array" : name
    guard shape.allSatisfy({ $0 >= 0 }), checkedProduct([type.byteCount] + shape.map { max($0, 1) }) != nil else {
      throw InterchangeError(path, "the shape of \(subject) is impossible: \(shape)")
    }
    let expected = shape.reduce(type.byteCount, *)
    guard byteCount == expected else {
      throw InterchangeError(path, "\(subject) of shape \(shape) takes \(expected) bytes, but has \(byteCount)")
    }
    guard !isColumnMajor || shape.count < 2 else {
      throw InterchangeError(
        path, "\(subject) is in Fortran order, which cannot be read in pieces",
        advice: "write it with numpy.ascontiguousarray")
    }
  }

  /// The elements `range`, counted in row-major order, in single or double precision, each rounded to the nearest.
  ///
  /// For arrays that are readable (`requireReadable`).
  /// - Throws: `InterchangeError` if they cannot be read.
  package func values<Value: BinaryFloatingPoint>(
    _ range: Range<Int>, as _: Value.Type
  ) throws(InterchangeError) -> [Value] {
    let byteRange = range.lowerBound * type.byteCount..<range.upperBound * type.byteCount
    let bytes: [UInt8]
    switch contents {
    case .file(let file): bytes = try file.bytes(in: byteRange)
    case .member(let stream, let start):
      bytes = try stream.bytes(in: start + byteRange.lowerBound..<start + byteRange.upperBound)
    }
    return bytes.withUnsafeBytes { type.values($0, as: Value.self) }
  }
}
