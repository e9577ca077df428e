import Files

/// An array in a file of its own, as written by `numpy.save` (`.npy`), whose elements are read on demand. Several
/// threads may read at once.
package final class NumpyFile: Sendable {
  package let path: String
  /// NumPy's name of the element type, such as `|u1`.
  package let type: String
  /// Whether the first index varies fastest in the file, instead of the last.
  package let isColumnMajor: Bool
  package let shape: [Int]
  private let file: RegularFile
  /// The offset of the elements.
  private let start: Int

  /// Larger than the header of any array of numbers.
  static let headerLimit = 1 << 16

  /// - Throws: `InterchangeError` for a file that cannot be read or is of another format.
  package init(readingFrom path: String) throws(InterchangeError) {
    let beginning: [UInt8]
    do throws(FileError) {
      file = try RegularFile(path)
      beginning = try file.bytes(first: Self.headerLimit)
    } catch {
      throw InterchangeError(path, "cannot be opened: \(error.reason)", advice: "check the path and its permissions")
    }
    guard let (header, start) = NumpyHeader.parse(beginning) else {
      throw InterchangeError(path, "is not a NumPy array", advice: "use a file written by numpy.save")
    }
    self.path = path
    (type, isColumnMajor, shape) = (header.type, header.isColumnMajor, header.shape)
    self.start = start
  }

  /// The size of the file after the header.
  package var elementBytes: Int { file.size - start }

  /// The elements' bytes `range`.
  /// - Throws: `InterchangeError` if they are not there.
  func bytes(in range: Range<Int>) throws(InterchangeError) -> [UInt8] {
    do throws(FileError) { return try file.bytes(in: start + range.lowerBound..<start + range.upperBound) } catch {
      throw InterchangeError(path, "cannot be read: \(error.reason)", advice: "check the file system")
    }
  }

  /// Overwrites `target` with the elements' bytes from `offset` on.
  /// - Throws: `InterchangeError` if they are not there.
  package func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) throws(InterchangeError) {
    let received: Int
    do throws(FileError) { received = try file.read(at: start + offset, into: target) } catch {
      throw InterchangeError(path, "cannot be read: \(error.reason)", advice: "check the file system")
    }
    guard received == target.count else { throw InterchangeError(path, "it ends before its elements do") }
  }
}
