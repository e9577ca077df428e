import Files
import TextFormatting

/// The memory that this process and others on its host may still allocate, and the total.
package enum AvailableMemory {
  /// Bytes that may still be allocated according to the system, the control groups, and the process's own limit; nil if
  /// unknown.
  package static var bytes: Int? { read(systemText) }

  /// The machine's memory in bytes; nil if unknown.
  package static var total: Int? { size("MemTotal:", in: "/proc/meminfo", systemText) }

  /// - Parameter text: returns the contents of a file, nil if there is none.
  package static func read(_ text: (String) -> String?) -> Int? {
    let own = [size("MemAvailable:", in: "/proc/meminfo", text), addressSpace(text)]
    return (own + ControlGroup.groups(text).map(\.available)).compactMap(\.self).min()
  }

  /// What the limit of the process's address space (`ulimit -v`) leaves; nil if there is none.
  private static func addressSpace(_ text: (String) -> String?) -> Int? {
    guard let limit = words("Max address space", in: "/proc/self/limits", text)?.first.flatMap({ Int($0) }),
      let used = size("VmSize:", in: "/proc/self/status", text)
    else { return nil }
    return max(0, limit - used)
  }

  /// A number of kibibytes, in bytes.
  private static func size(_ name: String, in path: String, _ text: (String) -> String?) -> Int? {
    words(name, in: path, text)?.first.flatMap { Int($0) }.map { $0 << 10 }
  }

  /// The words after a line's name.
  private static func words(_ name: String, in path: String, _ text: (String) -> String?) -> [Substring]? {
    let line = (text(path) ?? "").split(separator: "\n").first { $0.hasPrefix(name) }
    return line?.dropFirst(name.count).split { $0.isWhitespace }
  }
}

/// A control group that limits memory, of either version of the system's interface.
package struct ControlGroup: Sendable, Equatable {
  /// The folder of its files.
  package let path: String
  /// The limit for all its processes together, in bytes; nil for none.
  package let limit: Int?
  /// The bytes that they may still allocate, if there is a limit. Cached files do not count, since the system can drop
  /// them.
  package let available: Int?

  /// The groups of this process.
  static var own: [ControlGroup] { groups(systemText) }

  /// The groups of a process and all their ancestors, since the limit of each applies.
  /// - Parameter text: returns the contents of a file, nil if there is none.
  package static func groups(_ text: (String) -> String?) -> [ControlGroup] {
    (text("/proc/self/cgroup") ?? "").split(separator: "\n").flatMap { line -> [ControlGroup] in
      // The hierarchy's number, its controllers, and the group's path.
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return [] }
      let isUnified = parts[0] == "0" && parts[1].isEmpty
      guard isUnified || parts[1].split(separator: ",").contains("memory") else { return [] }
      let paths = sequence(first: String(parts[2])) {
        ["", ".", "/"].contains($0) ? nil : parentFolder(of: $0)
      }
      return paths.map { path in
        let end = path == "/" ? "" : path
        return isUnified
          ? ControlGroup(
            "/sys/fs/cgroup\(end)", limit: "memory.max", used: "memory.current", files: "inactive_file", text: text)
          : ControlGroup(
            "/sys/fs/cgroup/memory\(end)", limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes",
            files: "total_inactive_file", text: text)
      }
    }
  }

  private init(_ path: String, limit: String, used: String, files: String, text: (String) -> String?) {
    func number(_ name: String) -> Int? {
      text("\(path)/\(name)").flatMap { Int($0.trimmed) }
    }
    self.path = path
    // Version 1 represents no limit by a number near the maximum.
    self.limit = number(limit).flatMap { $0 < 1 << 60 ? $0 : nil }
    let kept =
      (text("\(path)/memory.stat") ?? "").split(separator: "\n").first { $0.hasPrefix(files + " ") }
      .flatMap { Int($0.dropFirst(files.count + 1)) } ?? 0
    available = self.limit.flatMap { limit in number(used).map { max(0, limit - max(0, $0 - kept)) } }
  }
}
