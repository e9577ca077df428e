import MessagePassing
import Reporting
import Tensors
import TextFormatting

/// The hosts and processors on which the ranks of a job may run, and whether they suffice for their threads.
package struct RankPlacement: Sendable {
  /// The placement of one rank.
  package struct Location: Codable, Sendable, Equatable {
    package let host: String
    package let processors: ProcessorSet
    package let threads: Int
    /// The processor time that the rank's container grants to all its processes, in processors; nil without a limit.
    package let quota: Double?

    package init(host: String, processors: ProcessorSet, threads: Int, quota: Double? = nil) {
      self.host = host
      self.processors = processors
      self.threads = threads
      self.quota = quota
    }
  }

  /// The placement of each rank, in their order.
  package let locations: [Location]

  package init(_ locations: [Location]) { self.locations = locations }

  /// Gathers the placement of all ranks. Collective.
  /// - Parameter threads: the number of threads of this rank.
  package init(of communicator: Communicator, threads: Int) throws {
    locations = try communicator.allGather(
      encoding: Location(
        host: try communicator.processorName, processors: .usable, threads: threads, quota: ProcessorQuota.own))
  }

  /// Whether threads of this rank have to share a processor, with one another or with those of other ranks, if every
  /// rank spreads its threads evenly over its processors; or whether they need more time than the container grants.
  package func isCrowded(_ rank: Int) -> Bool {
    let location = locations[rank]
    let ranksHere = locations.filter { $0.host == location.host }
    if exceedsQuota(rank) { return true }
    return location.processors.numbers.contains { number in
      let shares = ranksHere.filter { $0.processors.numbers.contains(number) }
        .map { Double($0.threads) / Double($0.processors.count) }
      return shares.reduce(0, +) > 1 + Self.rounding
    }
  }

  /// Whether a container grants its ranks less time than their threads need. The ranks of a host are assumed to share
  /// one.
  private func exceedsQuota(_ rank: Int) -> Bool {
    guard let quota = locations[rank].quota else { return false }
    let threads = locations.filter { $0.host == locations[rank].host }.reduce(0) { $0 + $1.threads }
    return Double(threads) > quota + Self.rounding
  }

  /// A bound for the rounding error of a sum of a few thousand fractions.
  private static let rounding = 1e-9

  /// The minimum number of processors of a rank.
  package var minimumProcessors: Int { locations.map(\.processors.count).min() ?? 0 }

  /// Nodes and the ranks on each; nil if these are unequal or not consecutive.
  package var grid: RankGrid? { RankGrid(hosts: locations.map(\.host)) }

  // MARK: For people

  /// Consecutive ranks with the same placement: `ranks 0-3`, with their placement.
  package var groups: [(ranks: ClosedRange<Int>, location: Location)] {
    var groups: [(ranks: ClosedRange<Int>, location: Location)] = []
    for (rank, location) in locations.enumerated() {
      if let last = groups.last, last.location == location {
        groups[groups.count - 1].ranks = last.ranks.lowerBound...rank
      } else {
        groups.append((rank...rank, location))
      }
    }
    return groups
  }

  /// A message about the first rank that has fewer processors than threads, and what to do; nil if there is none.
  package var misfit: String? {
    guard let rank = locations.firstIndex(where: { $0.processors.count < $0.threads }) else { return nil }
    let location = locations[rank]
    let count = ProgressFormat.count(location.processors.count, of: "processor")
    return "rank \(rank) may run on \(count) (\(location.processors) of \(location.host)), fewer than its "
      + "\(location.threads) threads; \(Launcher.binding(threads: location.threads))"
  }

  /// Advice for a better placement of the ranks; nil if each has enough processors of its own.
  package var advice: String? {
    if let misfit { return misfit }
    if grid == nil {
      return
        "the hosts have different numbers of ranks, or ranks that are not consecutive; with the same number on each, "
        + "in blocks (srun --distribution=block), less data would cross the network"
    }
    if let rank = locations.indices.first(where: exceedsQuota), let quota = locations[rank].quota {
      return "the container of rank \(rank) on \(locations[rank].host) grants only "
        + "\(String(printf: "%g", quota)) processors, fewer than the threads there; use fewer ranks or threads"
    }
    guard let (rank, other) = firstSharingRanks else { return nil }
    let location = locations[rank]
    let what = "ranks \(rank) and \(other) share processors of \(location.host)"
    return isCrowded(rank)
      ? "\(what), which are fewer than the threads there; use fewer ranks or threads"
      : "\(what); it can be faster to give each its own: \(Launcher.binding(threads: location.threads))"
  }

  private var firstSharingRanks: (Int, Int)? {
    var owners: [String: [Int: Int]] = [:]
    for (rank, location) in locations.enumerated() {
      for number in location.processors.numbers {
        if let owner = owners[location.host]?[number] { return (owner, rank) }
        owners[location.host, default: [:]][number] = rank
      }
    }
    return nil
  }
}

extension WorkerPool {
  /// A pool whose waiting threads yield the processors to other threads if ranks or threads have to share them.
  package convenience init(threadCount: Int, placement: RankPlacement, rank: Int) {
    self.init(threadCount: threadCount, waiting: placement.isCrowded(rank) ? .sleeping : .spinning)
  }
}
