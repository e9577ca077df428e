import CHDF5
import Files
import Glibc
import MessagePassing

/// An open HDF5 file, of one process or shared by the ranks of a communicator through MPI-IO.
///
/// All calls on a shared file are collective: every rank makes them with the same arguments (HDF5 reference,
/// "Collective Calling Requirements"). Only reading and writing the elements of a dataset may differ between ranks, and
/// may be done by some of them.
///
/// A file of one process is closed when it goes out of scope. A shared file is then left open, since closing it waits
/// for the other ranks, which may be elsewhere after an error: the job has to end.
package struct HDF5File: ~Copyable {
  package let path: String
  /// The ranks that share the file, or nil.
  let communicator: Communicator?
  let handle: Handle

  private init(path: String, communicator: Communicator?, call: String, _ identifier: hid_t) throws(HDF5Error) {
    self.path = path
    self.communicator = communicator
    self.handle = try Handle(.file, call, path, identifier, closesWhenDropped: communicator == nil)
  }

  /// Creates a file.
  ///
  /// - Parameters:
  ///   - exclusive: whether it is an error if the file exists; otherwise its contents are lost.
  ///   - communicator: the ranks that share the file; nil for this process alone.
  /// - Throws: `HDF5Error`, among others for the reason `fileExists`.
  package static func create(
    _ path: String, exclusive: Bool = false, communicator: Communicator? = nil
  ) throws(HDF5Error) -> HDF5File {
    try HDF5Library.prepare()
    let access = try PropertyLists.fileAccess(communicator, path)
    let name = communicator == nil ? path : try SharedPath.absolute(path, "H5Fcreate")
    let identifier = H5Fcreate(
      name, exclusive ? ddpm_hdf5_exclusive() : ddpm_hdf5_truncate(), ddpm_hdf5_default_properties(), access.identifier)
    if identifier < 0 {
      let explanation = innermostExplanation()
      guard exclusive, Glibc.access(path, F_OK) == 0 else {
        let hint = communicator == nil ? "" : SharedPath.hint(name)
        throw HDF5Error("H5Fcreate", path, .other, explanation + hint)
      }
      throw HDF5Error("H5Fcreate", path, .fileExists, "the file exists already")
    }
    return try HDF5File(path: path, communicator: communicator, call: "H5Fcreate", identifier)
  }

  /// Opens a file.
  ///
  /// - Parameter communicator: the ranks that share the file; nil for this process alone.
  /// - Throws: `HDF5Error`, among others for the reasons `noSuchFile` and `notHDF5`.
  package static func open(
    _ path: String, writable: Bool = false, communicator: Communicator? = nil
  ) throws(HDF5Error) -> HDF5File {
    try HDF5Library.prepare()
    do { _ = try RegularFile(path) } catch { throw HDF5Error(error, path) }
    let access = try PropertyLists.fileAccess(communicator, path)
    let name = communicator == nil ? path : try SharedPath.absolute(path, "H5Fopen")
    let identifier = H5Fopen(name, writable ? ddpm_hdf5_read_write() : ddpm_hdf5_read_only(), access.identifier)
    if identifier < 0 {
      let explanation = innermostExplanation()
      if H5Fis_hdf5(path) == 0 { throw HDF5Error("H5Fopen", path, .notHDF5, "this is not an HDF5 file") }
      let isCut = explanation.hasPrefix("truncated file")
      let hint = communicator == nil ? "" : SharedPath.hint(name)
      throw HDF5Error("H5Fopen", path, .other, isCut ? "the file is cut short (\(explanation))" : explanation + hint)
    }
    return try HDF5File(path: path, communicator: communicator, call: "H5Fopen", identifier)
  }

  /// Whether a file starts with HDF5's signature. (Files with a user block before it are not supported.)
  static func hasSignature(_ path: String) -> Bool {
    (try? RegularFile(path).bytes(first: signature.count)) == signature
  }

  static let signature: [UInt8] = [0x89] + Array("HDF\r\n".utf8) + [0x1a, 0x0a]

  /// Hands everything written so far to the operating system; if ranks share the file, it is also flushed to the disk.
  package borrowing func flush() throws(HDF5Error) {
    try check("H5Fflush", path, H5Fflush(handle.identifier, H5F_SCOPE_GLOBAL))
  }

  /// Closes the file. All its datasets must have been closed.
  package consuming func close() throws(HDF5Error) {
    let path = path
    try handle.close(path)
  }

  /// The name of an object of this file for messages.
  func subject(_ objectPath: String) -> String { "\(path):\(objectPath)" }
}
