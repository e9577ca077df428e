import Failures
import Glibc
import MessagePassing
import Reporting
import TextFormatting

/// The memory limits of a job's ranks: those of their machines and control groups, regardless of current use.
package struct MemoryLimits: Sendable, Equatable {
  /// A limit, and the number of ranks that share it.
  package struct Limit: Sendable, Equatable {
    package let bytes: Int
    /// The machine, or a control group.
    package let owner: String
    package let rankCount: Int

    package init(bytes: Int, owner: String, rankCount: Int) {
      self.bytes = bytes
      self.owner = owner
      self.rankCount = rankCount
    }
  }

  /// The limits of one rank.
  package let limits: [Limit]
  /// The number of ranks of its machine.
  package let ranksPerNode: Int

  package init(_ limits: [Limit], ranksPerNode: Int = 1) {
    self.limits = limits
    self.ranksPerNode = ranksPerNode
  }

  /// Determines which ranks share a machine and its groups. Collective.
  package init(of communicator: Communicator) throws {
    let host = try communicator.processorName
    let groups = ControlGroup.own
    let mine = HostAndGroups(host: host, groups: groups.map(\.path))
    let here = try communicator.allGather(encoding: mine).filter { $0.host == host }
    var limits: [Limit] = []
    if let bytes = AvailableMemory.total { limits.append(Limit(bytes: bytes, owner: host, rankCount: here.count)) }
    for group in groups {
      guard let bytes = group.limit else { continue }
      let rankCount = here.count { $0.groups.contains(group.path) }
      limits.append(Limit(bytes: bytes, owner: "the control group \(group.path) on \(host)", rankCount: rankCount))
    }
    self.init(limits + Self.ownLimit, ranksPerNode: here.count)
  }

  /// The limit that the shell's `ulimit -v` sets for each process, if any.
  private static var ownLimit: [Limit] {
    var limit = rlimit()
    guard getrlimit(Int32(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < 1 << 60 else { return [] }
    return [Limit(bytes: Int(limit.rlim_cur), owner: "the limit of `ulimit -v`", rankCount: 1)]
  }

  /// What limits a rank's memory.
  private struct HostAndGroups: Codable {
    let host: String
    /// The paths of its control groups.
    let groups: [String]
  }

  /// The limits of a single process.
  package static var alone: MemoryLimits {
    let machine = AvailableMemory.total.map { [Limit(bytes: $0, owner: "this machine", rankCount: 1)] } ?? []
    return MemoryLimits(
      machine + ownLimit
        + ControlGroup.own.compactMap { group in
          group.limit.map { Limit(bytes: $0, owner: "the control group \(group.path)", rankCount: 1) }
        })
  }
}

/// The memory that a job needs on each rank, part by part, computed from its configuration alone. It is slightly less
/// than the actual use.
package struct MemoryNeed: Sendable {
  private var parts: [(what: String, bytes: Double)] = []

  package init() {}

  /// - Parameters:
  ///   - floats: the number of 32-bit floats.
  ///   - what: their purpose, with the keys or options that determine it.
  package mutating func add(floats: Double, for what: String) {
    parts.append((what, floats * Double(MemoryLayout<Float>.stride)))
  }

  /// Per rank.
  package var bytes: Double { parts.reduce(0) { $0 + $1.bytes } }

  /// - Throws: `InputError` naming the limit, and the largest parts first, if it does not fit.
  package func require(_ limits: MemoryLimits) throws(InputError) {
    for limit in limits.limits where bytes * Double(limit.rankCount) > Double(limit.bytes) {
      let ranks = limit.rankCount > 1 ? " on each of the \(limit.rankCount) ranks there" : ""
      let largest = parts.filter { $0.bytes > bytes / 10 }.sorted { $0.bytes > $1.bytes }
      throw InputError(
        "this takes at least \(text(bytes)) of memory\(ranks), but \(limit.owner) has \(text(Double(limit.bytes))): "
          + largest.map { "\(text($0.bytes)) for \($0.what)" }.joined(separator: ", "))
    }
  }

  private func text(_ bytes: Double) -> String {
    // Larger than the memory of any machine.
    bytes < 0x1p60 ? ProgressFormat.bytes(Int(bytes)) : String(printf: "%.0e bytes", bytes)
  }
}
