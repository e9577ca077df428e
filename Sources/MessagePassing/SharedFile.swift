import CMessagePassing
import Failures
import Glibc

/// A file that ranks read or write together through MPI-IO (MPI 3.1, chapter 13), at positions that they know, never
/// with a shared file pointer: `MPISession` keeps the library from preparing one.
///
/// Opening, closing and most other calls are collective. The file stays open when it goes out of scope, since closing
/// it would wait for the other ranks, which may be elsewhere after an error: the job has to end.
package struct SharedFile: ~Copyable {
  package let path: String
  private let communicator: Communicator
  private let handle: ddpm_file
  /// The maximum number of bytes that a rank moves in one collective call; more take several calls. The same on all
  /// ranks. MPI-IO's counts have 32 bits, in some libraries also those of the bytes of all ranks.
  package var transferLimit: Int

  /// Opens an existing file. Collective.
  /// - Throws: `SharedFileError`, possibly on this rank alone: the others must learn of it, and leave the file open.
  package init(_ path: String, writable: Bool = false, communicator: Communicator) throws(SharedFileError) {
    let absolute = try Self.absolute(path)
    var handle = ddpm_file()
    do throws(MPIError) {
      try communicator.wait("MPI_File_open") {
        ddpm_mpi_open_file(communicator.handle, absolute, writable ? 1 : 0, &handle)
      }
    } catch {
      throw SharedFileError(path: path, call: error.call, message: error.message + Self.hint(absolute))
    }
    self.path = path
    self.communicator = communicator
    self.handle = handle
    transferLimit = max((1 << 30) / communicator.size, 1)
  }

  /// Writes this rank's segments. Collective; a rank may have none.
  /// - Parameter segments: in any order. No byte of the file is in two of them, whichever ranks they are of.
  /// - Throws: `SharedFileError`, possibly on this rank alone.
  package borrowing func write(_ segments: [FileSegment]) throws(SharedFileError) {
    try transfer("MPI_File_write_at_all", segments, writes: true)
  }

  /// Overwrites this rank's segments in memory with the bytes of the file. Collective; a rank may have none.
  ///
  /// The memory is undefined where the file ends before.
  /// - Parameter segments: in any order, without overlap. Ranks may read the same bytes.
  /// - Throws: `SharedFileError`, possibly on this rank alone.
  package borrowing func read(into segments: [FileSegment]) throws(SharedFileError) {
    try transfer("MPI_File_read_at_all", segments, writes: false)
  }

  /// Writes a segment of this rank, independently of the others.
  package borrowing func writeAlone(_ segment: FileSegment) throws(SharedFileError) {
    var done = 0
    while done < segment.byteCount {
      let count = min(segment.byteCount - done, 1 << 29)
      let code = ddpm_mpi_write_at(
        handle, Int64(segment.offset + done), segment.memory + done, Int32(count))
      do throws(MPIError) { try check("MPI_File_write_at", code) } catch {
        throw SharedFileError(path: path, call: error.call, message: error.message)
      }
      done += count
    }
    withExtendedLifetime(segment) {}
  }

  /// Closes the file; what was written may not be on the disk yet (`flush`). Collective.
  package consuming func close() throws(SharedFileError) {
    var handle = handle
    try perform("MPI_File_close") { ddpm_mpi_close_file(&handle) }
  }

  /// All ranks make the same number of calls. A rank whose call fails takes part in the remaining ones without data, so
  /// that the others do not wait for it.
  private borrowing func transfer(
    _ call: String, _ segments: [FileSegment], writes: Bool
  ) throws(SharedFileError) {
    let transfers = FileBlock.transfers(of: segments, limit: transferLimit)
    let count: Int
    do throws(MPIError) { count = try communicator.allReduceMaximum(transfers.count) } catch {
      throw SharedFileError(path: path, call: error.call, message: error.message)
    }
    var failure: SharedFileError?
    for index in 0..<count {
      let blocks = index < transfers.count && failure == nil ? transfers[index] : []
      do throws(SharedFileError) {
        try perform(call) {
          ddpm_mpi_transfer_blocks(
            handle, writes ? 1 : 0, Int32(blocks.count), blocks.map { Int32($0.byteCount) },
            blocks.map(\.offset), blocks.map { ddpm_mpi_address(UnsafeRawPointer(bitPattern: $0.address)) })
        }
      } catch {
        failure = failure ?? error
      }
    }
    withExtendedLifetime(segments) {}
    if let failure { throw failure }
  }

  private borrowing func perform(_ call: String, _ body: () -> Int32) throws(SharedFileError) {
    do throws(MPIError) { try communicator.wait(call, body) } catch {
      throw SharedFileError(path: path, call: call, message: error.message)
    }
  }
}

// Names in the form that MPI-IO accepts.
extension SharedFile {
  /// Open MPI derives other names from a file's in buffers of 256 bytes without checking their length, such as
  /// `<path>.locktest.<rank>` where the environment lets it share file pointers by locks.
  static let maximumPathLength = 244

  /// Verifies that ranks can share a file with this name.
  package static func checkShareable(_ path: String) throws(SharedFileError) { _ = try absolute(path) }

  /// Verifies that this rank sees a file and may open it. Before ranks do so together, which some might else begin
  /// without the others.
  package static func checkAccess(_ path: String, writable: Bool = false) throws(SharedFileError) {
    _ = try absolute(path)
    let descriptor = Glibc.open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw SharedFileError(path: path, call: "open", message: String(cString: strerror(errno)))
    }
    Glibc.close(descriptor)
  }

  /// An absolute path. In a relative one, MPI libraries may take the text before a colon for the name of a file system
  /// (`nfs:`), and Open MPI cannot open one of a single character.
  /// - Throws: `SharedFileError` if it is too long for an MPI library.
  private static func absolute(_ path: String) throws(SharedFileError) -> String {
    var result = path
    if !path.hasPrefix("/"), let folder = getcwd(nil, 0) {
      result = String(cString: folder) + "/" + path
      free(folder)
    }
    let length = result.utf8.count
    guard length <= maximumPathLength else {
      throw SharedFileError(
        path: path, call: "MPI_File_open",
        message:
          "its absolute path has \(length) bytes, but MPI libraries allow \(maximumPathLength); use a shorter path")
    }
    return result
  }

  /// An additional hint for a file that could not be opened.
  private static func hint(_ path: String) -> String {
    guard path.contains(":") else { return "" }
    return
      "; this MPI library may take the text before a colon for the name of a file system; use a path without a colon"
  }
}

/// A failed operation on a file that ranks share.
package struct SharedFileError: JobEndingError, Equatable, CustomStringConvertible {
  package let path: String
  /// The function that failed, such as `MPI_File_open`.
  package let call: String
  /// The description of the failure by the library or the system.
  package let message: String

  package var exitStatus: ExitStatus { .failure }
  package var description: String { "\(path): \(message) (\(call))" }
}
