import Foundation

/// How much memory this process and others of its host may still take.
public enum AvailableMemory {
  /// Bytes, by what the system reckons and what the control group grants; nil where it does not tell.
  public static var bytes: Int? {
    read(membership: text("/proc/self/cgroup") ?? "", text: text)
  }

  /// - Parameters:
  ///   - membership: what `/proc/self/cgroup` says.
  ///   - text: the contents of a file, nil if there is none.
  public static func read(membership: String, text: (String) -> String?) -> Int? {
    var limits: [Int] = []
    let meminfo = (text("/proc/meminfo") ?? "").split(separator: "\n")
    if let line = meminfo.first(where: { $0.hasPrefix("MemAvailable:") }) {
      let words = line.split(separator: " ")
      if words.count >= 2, let kibibytes = Int(words[1]) { limits.append(kibibytes << 10) }
    }
    for line in membership.split(separator: "\n") where line.hasPrefix("0::") {
      let path = String(line.dropFirst(3))
      // A limit of any group above counts too.
      for group in sequence(
        first: path, next: { $0.isEmpty || $0 == "/" ? nil : ($0 as NSString).deletingLastPathComponent })
      {
        let folder = "/sys/fs/cgroup\(group == "/" ? "" : group)"
        if let limit = number(text("\(folder)/memory.max")), let used = number(text("\(folder)/memory.current")) {
          limits.append(max(0, limit - used))
        }
      }
    }
    return limits.min()
  }

  private static func number(_ text: String?) -> Int? {
    text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}
