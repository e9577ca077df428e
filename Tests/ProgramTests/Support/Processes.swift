import Foundation

/// Whether a child process is still running.
func isRunning(_ process: pid_t) -> Bool {
  guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
  // After the name, which may contain anything and ends with the last parenthesis.
  return status[status.index(after: status.lastIndex(of: ")")!)...].split(separator: " ").first != "Z"
}

/// The processes whose command line satisfies the condition.
func processes(where isWanted: ([String]) -> Bool) -> [pid_t] {
  let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
  return entries.compactMap(pid_t.init).filter { process in
    guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
    return isWanted(line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
  }
}

/// The processor time that a process has taken, in seconds.
func processorSeconds(of process: pid_t) -> Double {
  guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return 0 }
  let fields = status[status.index(after: status.lastIndex(of: ")")!)...].split(separator: " ")
  // proc(5): utime and stime are fields 14 and 15, and the third is the first here.
  let ticks = (Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)
  return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
}

/// The peak resident memory of a process, in KiB.
func peakMemory(of process: pid_t) -> Int? {
  let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
  let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
  return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
}
