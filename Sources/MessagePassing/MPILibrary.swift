import CMessagePassing
import Glibc

/// The MPI library in use. Everything here is available before `MPISession.initialise`.
package enum MPILibrary {
  /// Libraries that launch and behave alike.
  package enum Family: String, Sendable {
    case openMPI = "openmpi"
    /// MPICH and libraries made from it, such as MVAPICH and Cray's.
    case mpich
    case intel

    /// - Parameter version: what the library says of itself. MPICH adds how it was compiled, which may be by Intel's
    ///   compiler.
    package init(version: String) {
      self = version.contains("Open MPI") ? .openMPI : version.hasPrefix("Intel") ? .intel : .mpich
    }
  }

  package static let family = Family(version: (try? version()) ?? "")

  /// The implementation and its version (MPI 3.1, section 8.1.1), such as "Open MPI v4.1.4, …"; of several lines in
  /// MPICH.
  package static func version() throws(MPIError) -> String {
    try text("MPI_Get_library_version", ddpm_mpi_library_version)
  }

  /// The name in a version, on one line: "Open MPI v4.1.4", "MPICH 4.0.2".
  package static func name(inVersion version: String) -> String {
    let line = version.split { $0 == "," || $0.isNewline }.first ?? ""
    return line.split(whereSeparator: \.isWhitespace).filter { $0 != "Version:" }.joined(separator: " ")
  }

  /// Whether `MPI_Finalize` may wait forever for a rank that has called it earlier: one that has been answered by all
  /// others then answers none. So it is in MPICH before 4.2, over UCX's TCP between hosts
  /// (https://github.com/pmodels/mpich/pull/6596).
  static let mustFinaliseTogether = mustFinaliseTogether(version: (try? version()) ?? "")

  package static func mustFinaliseTogether(version: String) -> Bool {
    let words = name(inVersion: version).split(separator: " ")
    guard words.count > 1, words[0] == "MPICH" else { return false }
    let numbers = words[1].split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    return numbers.lexicographicallyPrecedes([4, 2])
  }

  /// The file that the library was loaded from; nil if unknown.
  package static var path: String? {
    guard let found = ddpm_mpi_library_file(), let file = realpath(found, nil) else { return nil }
    defer { free(file) }
    return String(cString: file)
  }
}
