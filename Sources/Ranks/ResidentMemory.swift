import Files
import Glibc

/// The memory that this process has had at its peak, in bytes.
package enum ResidentMemory {
  /// All of it, with what it shares with other processes.
  package static var peak: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }

  /// This process's part of it, so that parts can be added up: of memory that n processes share now, each has 1/n. All of
  /// it if the system does not say what is shared.
  package static var ownPeak: Int {
    guard let shared = bytes("RssShmem:", in: "/proc/self/status"),
      let own = bytes("Pss_Shmem:", in: "/proc/self/smaps_rollup")
    else { return peak }
    return peak - max(0, shared - own)
  }

  /// A number of kibibytes in a file of the system.
  private static func bytes(_ name: String, in file: String) -> Int? {
    let line = systemText(file)?.split(separator: "\n").first { $0.hasPrefix(name) }
    return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
  }
}
