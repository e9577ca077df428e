import Files

/// The processor time that a container may use: a control group's limit, in processors.
package enum ProcessorQuota {
  /// The quota of this process; nil without a limit.
  package static var own: Double? { read(systemText) }

  /// - Parameter text: returns the contents of a file, nil if there is none.
  package static func read(_ text: (String) -> String?) -> Double? {
    var quotas: [Double] = []
    // A line `number:controllers:path` for each hierarchy.
    for line in (text("/proc/self/cgroup") ?? "").split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 3 else { continue }
      // Inside a container the group's own path may not be visible; the root is then the group.
      for path in parts[2] == "/" ? [""] : [parts[2], ""] {
        var names: [String] = []
        if parts[1].isEmpty {
          // Version 2: `200000 100000`, or `max 100000`, in microseconds.
          names = ["cpu.max"]
        } else if parts[1].split(separator: ",").contains("cpu") {
          // Version 1, where −1 means no limit.
          names = ["cpu.cfs_quota_us", "cpu.cfs_period_us"]
        }
        let folder = "/sys/fs/cgroup" + (parts[1].isEmpty ? "" : "/") + parts[1] + path
        let numbers = names.flatMap { (text("\(folder)/\($0)") ?? "").split(whereSeparator: \.isWhitespace) }
          .map { Double($0) }
        if numbers.count == 2, let quota = numbers[0], let period = numbers[1], quota > 0, period > 0 {
          quotas.append(quota / period)
        }
      }
    }
    return quotas.min()
  }
}
