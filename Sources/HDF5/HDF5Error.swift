import CHDF5
import Failures
import Files

/// A failed call into the HDF5 library, or an invalid request to it.
package struct HDF5Error: JobEndingError, Equatable, CustomStringConvertible {
  /// The kinds of failure that a caller may want to distinguish.
  package enum Reason: Sendable, Equatable {
    case noSuchFile
    case notHDF5
    case fileExists
    /// There is no object or attribute with this name.
    case noSuchObject
    /// The object exists but has a different type or shape.
    case wrongType
    /// A file that must have a `FileSeal` has none.
    case unsealed
    /// A file's `FileSeal` does not match.
    case damaged
    case other
  }

  /// The HDF5 function, such as `H5Fopen`.
  package let call: String
  /// The file, with the object in it if there is one: `run.h5:/weights/conv`.
  package let subject: String
  package let reason: Reason
  package let message: String

  init(_ call: String, _ subject: String, _ reason: Reason, _ message: String) {
    self.call = call
    self.subject = subject
    self.reason = reason
    self.message = message
  }

  /// A file that could not be opened.
  init(_ error: FileError, _ path: String) {
    switch error.kind {
    case .missing: self.init("H5Fopen", path, .noSuchFile, "there is no such file")
    case .notRegular: self.init("H5Fopen", path, .notHDF5, error.reason)
    default: self.init("H5Fopen", path, .other, error.reason)
    }
  }

  /// A file that does not start as HDF5 does.
  static func withoutSignature(_ call: String, _ path: String) -> HDF5Error {
    let isEmpty = (try? RegularFile(path).size) == 0
    return HDF5Error(call, path, .notHDF5, isEmpty ? "it is empty" : "this is not an HDF5 file")
  }

  package var exitStatus: ExitStatus { .failure }
  package var description: String { "\(subject): \(message) (\(call))" }
}

/// Turns a negative status into an error with the library's own explanation.
@discardableResult
func check<Status: SignedInteger>(
  _ call: String, _ subject: @autoclosure () -> String, _ status: Status
) throws(HDF5Error) -> Status {
  guard status >= 0 else { throw HDF5Error(call, subject(), .other, innermostExplanation()) }
  return status
}

/// The most specific entry of the library's error stack, which the last failed call has left behind.
func innermostExplanation() -> String {
  var explanation = ""
  _ = withUnsafeMutablePointer(to: &explanation) { explanation in
    H5Ewalk2(
      ddpm_hdf5_default_errors(), H5E_WALK_UPWARD,
      { depth, entry, context in
        guard depth == 0, let entry = entry?.pointee, let context else { return 0 }
        let text = entry.desc.map { String(cString: $0) } ?? ""
        context.assumingMemoryBound(to: String.self).pointee = text.isEmpty ? message(of: entry.min_num) : text
        return 0
      }, explanation)
  }
  return explanation.isEmpty ? "the library gives no reason" : explanation
}

/// The text of an error number.
private func message(of number: hid_t) -> String {
  var text = [CChar](repeating: 0, count: 256)
  guard H5Eget_msg(number, nil, &text, text.count - 1) > 0 else { return "" }
  return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(truncatingIfNeeded:)), as: UTF8.self)
}
