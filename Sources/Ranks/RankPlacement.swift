import Foundation
import MessagePassing
import Reporting
import Tensors

/// On which processors of which hosts the ranks of a job may run, and whether that is room enough for their threads.
public struct RankPlacement: Sendable {
  /// What is known of one rank.
  public struct Location: Codable, Sendable, Equatable {
    public let host: String
    public let processors: ProcessorSet
    public let threads: Int
    /// Processors' worth of time that the rank's container grants to all that runs in it; nil if it sets no limit.
    public let quota: Double?

    public init(host: String, processors: ProcessorSet, threads: Int, quota: Double? = nil) {
      self.host = host
      self.processors = processors
      self.threads = threads
      self.quota = quota
    }
  }

  /// Of each rank, in their order.
  public let locations: [Location]

  public init(_ locations: [Location]) { self.locations = locations }

  /// Asks all ranks. Collective.
  /// - Parameter threads: of this rank.
  public init(of communicator: Communicator, threads: Int) throws {
    locations = try communicator.allGather(
      encoding: Location(
        host: try communicator.processorName, processors: .usable, threads: threads, quota: ProcessorQuota.own))
  }

  /// Whether threads of this rank have to take turns on a processor, with one another or with those of other ranks, if
  /// every rank spreads its threads evenly over its processors; or if they are more than the container grants time for.
  public func isCrowded(_ rank: Int) -> Bool {
    let location = locations[rank]
    let ranksHere = locations.filter { $0.host == location.host }
    if exceedsQuota(rank) { return true }
    return location.processors.numbers.contains { number in
      let shares = ranksHere.filter { $0.processors.numbers.contains(number) }
        .map { Double($0.threads) / Double($0.processors.count) }
      return shares.reduce(0, +) > 1 + Self.rounding
    }
  }

  /// Whether a container grants its ranks less time than their threads take. Ranks of one host are taken to share one.
  private func exceedsQuota(_ rank: Int) -> Bool {
    guard let quota = locations[rank].quota else { return false }
    let threads = locations.filter { $0.host == locations[rank].host }.reduce(0) { $0 + $1.threads }
    return Double(threads) > quota + Self.rounding
  }

  /// Sums of a few thousand fractions are off by less.
  private static let rounding = 1e-9

  /// The fewest processors that a rank has.
  public var minimumProcessors: Int { locations.map(\.processors.count).min() ?? 0 }

  /// Nodes and the ranks on each; nil where these are unequal or do not follow one another.
  public var grid: RankGrid? { RankGrid(hosts: locations.map(\.host)) }

  // MARK: For people

  /// The ranks in groups that follow one another and have the same place: `ranks 0-3`, with the place.
  public var groups: [(ranks: ClosedRange<Int>, location: Location)] {
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

  /// What is wrong with the first rank that has fewer processors than threads, and what to do; nil if there is none.
  public var misfit: String? {
    guard let rank = locations.firstIndex(where: { $0.processors.count < $0.threads }) else { return nil }
    let location = locations[rank]
    let count = ProgressFormat.count(location.processors.count, of: "processor")
    return "rank \(rank) may run on \(count) (\(location.processors) of \(location.host)), fewer than its "
      + "\(location.threads) threads; \(Self.binding(threads: location.threads))"
  }

  /// What could be better about where the ranks run; nil if each has processors of its own, and enough of them.
  public var advice: String? {
    if let misfit { return misfit }
    if grid == nil {
      return
        "the hosts have different numbers of ranks, or ranks that do not follow one another; with as many on each, "
        + "in blocks (srun --distribution=block), less would cross the network"
    }
    if let rank = locations.indices.first(where: exceedsQuota), let quota = locations[rank].quota {
      return "the container of rank \(rank) on \(locations[rank].host) grants the time of "
        + "\(String(format: "%g", quota)) processors to more threads than that; take fewer ranks or threads"
    }
    guard let (rank, other) = firstSharingRanks else { return nil }
    let location = locations[rank]
    let what = "ranks \(rank) and \(other) share processors of \(location.host)"
    return isCrowded(rank)
      ? "\(what), which are fewer than the threads there; take fewer ranks or threads"
      : "\(what); it can be faster if each has its own: \(Self.binding(threads: location.threads))"
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

  private static func binding(threads: Int) -> String {
    "mpirun --map-by slot:PE=\(threads) --bind-to core, or srun --cpus-per-task=\(threads) --cpu-bind=cores"
  }
}

extension WorkerPool {
  /// A pool whose waiting threads leave the processors to those of other ranks, and to one another, where they have to
  /// share them.
  public convenience init(threadCount: Int, placement: RankPlacement, rank: Int) {
    self.init(threadCount: threadCount, waiting: placement.isCrowded(rank) ? .sleeping : .spinning)
  }
}
