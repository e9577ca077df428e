import CHDF5
import Files
import Glibc

/// An open HDF5 file of this process. It is closed when it goes out of scope.
///
/// In a file of many ranks, one of them creates the datasets, and all write elements where `HDF5Dataset.location()` says
/// after it has closed the file.
package struct HDF5File: ~Copyable {
  package let path: String
  let handle: Handle

  private init(path: String, call: String, _ identifier: hid_t) throws(HDF5Error) {
    self.path = path
    self.handle = try Handle(.file, call, path, identifier)
  }

  /// Creates a file.
  ///
  /// - Parameter exclusive: whether it is an error if the file exists; otherwise its contents are lost.
  /// - Throws: `HDF5Error`, among others for the reason `fileExists`.
  package static func create(_ path: String, exclusive: Bool = false) throws(HDF5Error) -> HDF5File {
    try HDF5Library.prepare()
    // Nobody else opens a file that is being made, and some file systems of clusters have no locks.
    let access = try PropertyLists.fileAccess(isLocked: false, path)
    let identifier = H5Fcreate(
      path, exclusive ? ddpm_hdf5_exclusive() : ddpm_hdf5_truncate(), ddpm_hdf5_default_properties(), access.identifier)
    if identifier < 0 {
      let explanation = innermostExplanation()
      guard exclusive, Glibc.access(path, F_OK) == 0 else {
        throw HDF5Error("H5Fcreate", path, .other, explanation)
      }
      throw HDF5Error("H5Fcreate", path, .fileExists, "the file exists already")
    }
    return try HDF5File(path: path, call: "H5Fcreate", identifier)
  }

  /// Opens a file.
  ///
  /// - Parameter isLocked: whether the library locks the file against its own other users. Not needed for files that
  ///   this program has finished or is making; some file systems of clusters have no locks.
  /// - Throws: `HDF5Error`, among others for the reasons `noSuchFile` and `notHDF5`.
  package static func open(
    _ path: String, writable: Bool = false, isLocked: Bool = true
  ) throws(HDF5Error) -> HDF5File {
    try HDF5Library.prepare()
    do { _ = try RegularFile(path) } catch { throw HDF5Error(error, path) }
    let access = try PropertyLists.fileAccess(isLocked: isLocked, path)
    let identifier = H5Fopen(path, writable ? ddpm_hdf5_read_write() : ddpm_hdf5_read_only(), access.identifier)
    if identifier < 0 {
      let explanation = innermostExplanation()
      if H5Fis_hdf5(path) == 0 { throw HDF5Error.withoutSignature("H5Fopen", path) }
      let isCut = explanation.hasPrefix("truncated file")
      throw HDF5Error("H5Fopen", path, .other, isCut ? "the file is cut short (\(explanation))" : explanation)
    }
    return try HDF5File(path: path, call: "H5Fopen", identifier)
  }

  /// Whether a file starts with HDF5's signature. (Files with a user block before it are not supported.)
  static func hasSignature(_ path: String) -> Bool {
    (try? RegularFile(path).bytes(first: signature.count)) == signature
  }

  static let signature: [UInt8] = [0x89] + Array("HDF\r\n".utf8) + [0x1a, 0x0a]

  /// Closes the file. All its datasets must have been closed.
  package consuming func close() throws(HDF5Error) {
    let path = path
    try handle.close(path)
  }

  /// The name of an object of this file for messages.
  func subject(_ objectPath: String) -> String { "\(path):\(objectPath)" }
}
