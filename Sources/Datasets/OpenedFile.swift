import Files
import Tensors

/// An open file, shared by copies of a data set.
final class OpenedFile: Sendable {
  private let file: RegularFile

  init(_ file: consuming RegularFile) { self.file = file }

  var path: String { file.path }

  /// Overwrites `target` with the bytes from `offset` on.
  /// - Returns: how many bytes were read; fewer if the file ends before.
  func read<Element>(at offset: Int, into target: TypedTensor<Element>) throws(FileError) -> Int {
    try target.withUnsafeMutableBytes { (bytes) throws(FileError) in try file.read(at: offset, into: bytes) }
  }
}
