import Reporting

/// Decides from the ranks' reports which rank hangs.
package struct WatchdogJudgement: Sendable {
  package struct Limits: Sendable, Equatable {
    /// How long a rank may be silent or make no progress.
    package var hangSeconds: Double
    /// How long a save may take.
    package var saveSeconds: Double
    /// How often ranks report, in seconds.
    var interval: Double { min(5, hangSeconds / 8) }

    package init(hangSeconds: Double, saveSeconds: Double) {
      self.hangSeconds = hangSeconds
      self.saveSeconds = saveSeconds
    }
  }

  /// The progress of a rank.
  package struct RankReport: Sendable, Equatable {
    /// A number that changes whenever the rank has done something.
    package var progress: Int
    /// Whether it is waiting for other ranks.
    package var isWaiting: Bool
    /// The number of steps done.
    package var step: Int
    /// The save in progress, if any.
    package var save: Save?

    package struct Save: Sendable, Equatable {
      package var seconds: Double
      /// The number of parts started.
      package var parts: Int

      package init(seconds: Double, parts: Int) {
        self.seconds = seconds
        self.parts = parts
      }
    }

    package static let width = 5

    package init(progress: Int, isWaiting: Bool, step: Int, save: Save? = nil) {
      self.progress = progress
      self.isWaiting = isWaiting
      self.step = step
      self.save = save
    }

    /// - Parameter numbers: the encoding of another report.
    package init(_ numbers: [Int]) {
      self.init(
        progress: numbers[0], isWaiting: numbers[1] != 0, step: numbers[2],
        save: numbers[3] < 0 ? nil : Save(seconds: Double(numbers[3]) * 1e-3, parts: numbers[4]))
    }

    /// The report encoded as `width` numbers.
    package var numbers: [Int] {
      [progress, isWaiting ? 1 : 0, step, save.map { Int($0.seconds * 1e3) } ?? -1, save?.parts ?? 0]
    }
  }

  private struct Rank {
    var report: RankReport?
    var silence: SilenceClock
    /// The time since it last made progress or was last seen waiting.
    var idleness: SilenceClock
    /// The time since its progress last changed, waiting or not.
    var stillness: SilenceClock
  }

  private let limits: Limits
  private var ranks: [Rank]

  package init(rankCount: Int, limits: Limits, now: Double) {
    self.limits = limits
    let clock = SilenceClock(now: now)
    ranks = [Rank](
      repeating: Rank(report: nil, silence: clock, idleness: clock, stillness: clock), count: rankCount)
  }

  package mutating func note(_ report: RankReport, of rank: Int, now: Double) {
    ranks[rank].silence.hear(now: now)
    let hasMoved = ranks[rank].report?.progress != report.progress
    // A save has its own time limit.
    let isFree = hasMoved || report.save != nil
    if isFree { ranks[rank].stillness.hear(now: now) }
    if isFree || report.isWaiting { ranks[rank].idleness.hear(now: now) }
    ranks[rank].report = report
  }

  /// What is wrong with which ranks, for users; nil if nothing is.
  package mutating func verdict(now: Double, hosts: [String]) -> String? {
    for rank in ranks.indices {
      ranks[rank].silence.tick(now: now, interval: limits.interval)
      ranks[rank].idleness.tick(now: now, interval: limits.interval)
      ranks[rank].stillness.tick(now: now, interval: limits.interval)
    }
    if let all = name(hosts, { $0.silence.seconds(now: now) > limits.hangSeconds }) {
      return "\(all) not responded for \(Int(limits.hangSeconds)) s\(lastSteps)"
    }
    if let all = name(hosts, { $0.idleness.seconds(now: now) > limits.hangSeconds }) {
      return "\(all) made no progress for \(Int(limits.hangSeconds)) s\(lastSteps)"
    }
    // All ranks wait in the same calls for the one that hangs. It cannot be identified, but the progress of each rank
    // is known.
    let saves = ranks.compactMap(\.report?.save)
    if saves.contains(where: { $0.seconds > limits.saveSeconds }) {
      let positions = Set(saves.map(\.parts)).sorted().compactMap { parts in
        names(hosts, { $0.report?.save?.parts == parts }).map { "\($0) at part \(parts)" }
      }
      return "saving a checkpoint has taken more than \(Int(limits.saveSeconds)) s, "
        + "\(positions.joined(separator: ", "))\(lastSteps)"
    }
    if ranks.allSatisfy({ $0.stillness.seconds(now: now) > limits.hangSeconds }) {
      return "all ranks have waited for one another for \(Int(limits.hangSeconds)) s\(lastSteps)"
    }
    return nil
  }

  /// `rank 3 on node7 has`, `ranks 4, 5 on node2 have`; nil for none.
  private func name(_ hosts: [String], _ isMeant: (Rank) -> Bool) -> String? {
    names(hosts, isMeant).map { "\($0) \(ranks.count(where: isMeant) == 1 ? "has" : "have")" }
  }

  /// `rank 3 on node7`, `ranks 4, 5 on node2`; nil for none.
  private func names(_ hosts: [String], _ isMeant: (Rank) -> Bool) -> String? {
    let meant = ranks.indices.filter { isMeant(ranks[$0]) }
    guard let first = meant.first else { return nil }
    if meant.count == 1 { return "rank \(first) on \(hosts[first])" }
    var names: [String] = []
    for host in meant.map({ hosts[$0] }) where !names.contains(host) { names.append(host) }
    return "ranks \(meant.map(String.init).joined(separator: ", ")) on \(names.joined(separator: ", "))"
  }

  private var lastSteps: String {
    let steps = ranks.compactMap { $0.report?.step }
    return steps.max().map { " (the job has done \(ProgressFormat.count($0, of: "step")))" } ?? ""
  }
}
