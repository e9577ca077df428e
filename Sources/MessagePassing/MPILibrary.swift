import CMPI
import Files
import Glibc

/// The MPI library in use. Everything here is available before `MPISession.initialise`.
package enum MPILibrary {
  /// Libraries that launch and behave alike.
  package enum Family: String, Sendable {
    case openMPI = "openmpi"
    /// MPICH and libraries made from it, such as MVAPICH and Cray's.
    case mpich
    case intel

    /// - Parameter version: what the library says of itself.
    package init(version: String) {
      self = version.contains("Open MPI") ? .openMPI : version.contains("Intel") ? .intel : .mpich
    }
  }

  package static let family = Family(version: (try? version()) ?? "")

  /// The implementation and its version (MPI 3.1, section 8.1.1), such as "Open MPI v4.1.4, …"; of several lines in
  /// MPICH.
  package static func version() throws(MPIError) -> String {
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_LIBRARY_VERSION_STRING) + 1)
    var length: Int32 = 0
    try check("MPI_Get_library_version", MPI_Get_library_version(&text, &length))
    return string(from: text)
  }

  /// The name in a version, on one line: "Open MPI v4.1.4", "MPICH 4.0.2".
  package static func name(inVersion version: String) -> String {
    let line = version.split { $0 == "," || $0.isNewline }.first ?? ""
    return line.split(whereSeparator: \.isWhitespace).filter { $0 != "Version:" }.joined(separator: " ")
  }

  /// The file that the library was loaded from; nil if unknown.
  package static var path: String? {
    guard let function = dlsym(nil, "MPI_Get_library_version"),
      let maps = systemText("/proc/self/maps")
    else { return nil }
    return file(atAddress: UInt(bitPattern: function), inMaps: maps)
  }

  /// The file that is mapped at an address, according to the text of /proc/<process>/maps; nil for none.
  package static func file(atAddress address: UInt, inMaps maps: String) -> String? {
    for line in maps.split(separator: "\n") {
      let bounds = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
      guard bounds.count == 2, address >= bounds[0], address < bounds[1] else { continue }
      return line.firstIndex(of: "/").map { String(line[$0...]) }
    }
    return nil
  }
}
