import CMessagePassing
import Failures

/// A failed call into the MPI library.
package struct MPIError: JobEndingError, Equatable, CustomStringConvertible {
  /// The MPI function, such as `MPI_Bcast`.
  package let call: String
  /// The code the function returned (MPI 3.1, section 8.4).
  package let code: Int32
  /// The library's description of the code.
  package let message: String

  package var exitStatus: ExitStatus { .failure }
  package var description: String { "\(call) failed: \(message) (MPI error \(code))" }
}

extension MPIError {
  /// Gets the code's description from the library.
  init(call: String, code: Int32) {
    let message = try? text("MPI_Error_string") { ddpm_mpi_error_text(code, $0) }
    self.init(call: call, code: code, message: message ?? "unknown error")
  }
}

/// Turns a return code into an error.
func check(_ call: String, _ code: Int32) throws(MPIError) {
  guard code == 0 else { throw MPIError(call: call, code: code) }
}

/// Converts a count or displacement to MPI 3.1's 32 bits.
func int32(_ value: Int, for call: String) throws(MPIError) -> Int32 {
  guard let narrow = Int32(exactly: value) else {
    throw MPIError(call: call, code: ddpm_mpi_count_error(), message: "\(value) elements do not fit one message")
  }
  return narrow
}

/// The text that a function of the library writes.
func text(_ call: String, _ body: (UnsafeMutablePointer<CChar>) -> Int32) throws(MPIError) -> String {
  var characters = [CChar](repeating: 0, count: Int(DDPM_MPI_TEXT_LENGTH))
  try check(call, body(&characters))
  return string(from: characters)
}

/// The text before the terminating zero.
func string(from characters: [CChar]) -> String {
  String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(truncatingIfNeeded:)), as: UTF8.self)
}
