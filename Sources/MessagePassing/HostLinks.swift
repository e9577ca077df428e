import CHostLinks
import Glibc

/// Connections between hosts that show whether the other host still answers, for launchers that do not find out.
///
/// The first rank of every other host is connected to rank 0. Nothing is sent: the systems of both hosts exchange probes,
/// even if the processes are stopped or wait for a file system. A connection fails only if a machine is lost or its link
/// is cut.
package final class HostLinks: Sendable {
  private struct Link {
    /// The host on the other side.
    let host: String
    let descriptor: Int32
  }

  /// Where rank 0 awaits the others.
  private struct Meeting: Codable {
    let addresses: [String]
    let port: Int32
    /// Distinguishes this job's ranks from other programs.
    let token: Int
  }

  private let links: [Link]
  /// The hosts that could not be connected with that of rank 0.
  package let unconnectedHosts: [String]

  /// Connects the hosts. Collective.
  /// - Parameters:
  ///   - hosts: the host of every rank.
  ///   - seconds: how long a host may be silent, at least 4.
  package init(hosts: [String], over communicator: Communicator, seconds: Int32) throws {
    let firstRanks = hosts.indices.filter { hosts.firstIndex(of: hosts[$0]) == $0 }.dropFirst()
    var offered: Meeting?
    var listener: Int32 = -1
    if communicator.rank == 0 {
      let opened = Self.openMeeting()
      offered = opened.meeting
      listener = opened.listener
    }
    defer { if listener >= 0 { close(listener) } }
    let meeting = try communicator.broadcast(encoding: offered, from: 0)

    var own: Int32 = -1
    if firstRanks.contains(communicator.rank) { own = Self.connect(to: meeting, rank: communicator.rank) }
    let connectionCount = try communicator.allGather(own >= 0 ? 1 : 0).reduce(0, +)
    let accepted = communicator.rank == 0 ? Self.accept(connectionCount, at: listener, token: meeting.token) : [:]
    let connectedRanks = try communicator.broadcast(encoding: accepted.keys.sorted(), from: 0)

    if own >= 0 && !connectedRanks.contains(communicator.rank) {
      close(own)
      own = -1
    }
    let ownLinks = own >= 0 ? [Link(host: hosts[0], descriptor: own)] : []
    links = ownLinks + accepted.map { Link(host: hosts[$0.key], descriptor: $0.value) }
    unconnectedHosts = firstRanks.filter { !connectedRanks.contains($0) }.map { hosts[$0] }
    let interval = max(1, seconds / 5)
    for link in links {
      _ = ddpm_link_watch(link.descriptor, seconds - Self.probeCount * interval, interval, Self.probeCount)
    }
  }

  deinit {
    for link in links { close(link.descriptor) }
  }

  /// A host that does not answer any more; nil if all do.
  package var lostHost: String? { links.first { ddpm_link_state($0.descriptor) == 2 }?.host }

  private static let probeCount: Int32 = 3
  /// How long to wait for one connection.
  private static let patienceMilliseconds: Int32 = 2000

  private static func openMeeting() -> (meeting: Meeting, listener: Int32) {
    var port: Int32 = 0
    let listener = ddpm_link_listen(&port)
    var text = [CChar](repeating: 0, count: 4096)
    let count = ddpm_link_addresses(&text, text.count)
    let addresses = listener >= 0 && count > 0 ? string(from: text).split(separator: " ").map(String.init) : []
    return (Meeting(addresses: addresses, port: port, token: .random(in: 0 ... .max)), listener)
  }

  /// - Returns: a descriptor; -1 if rank 0 cannot be reached.
  private static func connect(to meeting: Meeting, rank: Int) -> Int32 {
    let greeting = [meeting.token, rank]
    for address in meeting.addresses {
      let descriptor = greeting.withUnsafeBytes {
        ddpm_link_connect(address, meeting.port, patienceMilliseconds, $0.baseAddress, $0.count)
      }
      if descriptor >= 0 { return descriptor }
    }
    return -1
  }

  /// Accepts connections that have been made already.
  /// - Returns: the descriptor of each rank.
  private static func accept(_ count: Int, at listener: Int32, token: Int) -> [Int: Int32] {
    var accepted: [Int: Int32] = [:]
    while accepted.count < count {
      var greeting = [0, 0]
      let descriptor = greeting.withUnsafeMutableBytes {
        ddpm_link_accept(listener, patienceMilliseconds, $0.baseAddress, $0.count)
      }
      guard descriptor >= 0 else { break }
      if greeting[0] == token && accepted[greeting[1]] == nil {
        accepted[greeting[1]] = descriptor
      } else {
        close(descriptor)
      }
    }
    return accepted
  }
}
