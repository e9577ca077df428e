import Files

/// An array in a file of its own, as `numpy.save` writes it (`.npy`), whose elements are read when they are needed.
/// Several threads may read at once.
public final class NumpyFile: Sendable {
  public let path: String
  /// NumPy's name of the elements' type, such as `|u1`.
  public let type: String
  /// Whether the first index varies fastest in the file, instead of the last.
  public let isColumnMajor: Bool
  public let shape: [Int]
  private let file: RegularFile
  /// Where the elements begin.
  private let start: Int

  /// More bytes than a header of numbers has.
  private static let headerLimit = 1 << 16

  /// - Throws: `InterchangeError` for a file that cannot be read or is something else.
  public init(readingFrom path: String) throws(InterchangeError) {
    let beginning: [UInt8]
    do throws(FileError) {
      file = try RegularFile(path)
      beginning = try file.bytes(first: Self.headerLimit)
    } catch {
      throw InterchangeError(path, "cannot be opened: \(error.reason)", advice: "check the path and who may read it")
    }
    guard let (header, start) = NumpyHeader.parse(beginning) else {
      throw InterchangeError(path, "is no array of NumPy's", advice: "give a file that numpy.save has written")
    }
    self.path = path
    (type, isColumnMajor, shape) = (header.type, header.isColumnMajor, header.shape)
    self.start = start
  }

  /// The file's bytes after the header.
  public var elementBytes: Int { file.size - start }

  /// Reads `count` bytes of the elements from `offset` on.
  /// - Throws: `InterchangeError` if they are not there.
  public func read(at offset: Int, count: Int, into destination: UnsafeMutableRawPointer) throws(InterchangeError) {
    let received: Int
    do throws(FileError) { received = try file.read(at: start + offset, count: count, into: destination) } catch {
      throw InterchangeError(path, "cannot be read: \(error.reason)", advice: "check the file system")
    }
    guard received == count else { throw InterchangeError(path, "it ends before its elements do") }
  }
}
