import Foundation
import MessagePassing
import Ranks
import Reporting
import Synchronization
import Tensors

/// Ends the job when a rank hangs, and names it: a process that was stopped, a machine that the network has lost, a file
/// system that does not answer, a save that does not end.
///
/// Every rank has a thread that tells rank 0 in short intervals how its training gets on, and hears from rank 0. What is
/// judged is told by `WatchdogJudgement`. Whoever does not hear from rank 0 for too long ends the job as well.
final class Watchdog: @unchecked Sendable {
  private let ranks: SplitCommunicator
  private let hosts: [String]
  private let limits: WatchdogJudgement.Limits
  private let interval: Double
  private let waits: WaitRecord
  private let activity: SaveActivity
  private let step = Atomic<Int>(0)
  private let isStopping = Atomic<Bool>(false)
  private let isOver = DispatchSemaphore(value: 0)
  private let wakeUp = DispatchSemaphore(value: 0)
  private var hasStopped = false

  private static let reportTag = 1
  private static let pulseTag = 2

  /// Starts watching; nil if the job has one rank, or the library allows no calls from two threads. Collective.
  /// - Parameters:
  ///   - hosts: that of every rank.
  ///   - activity: what this rank is saving.
  init?(
    communicator: Communicator, hosts: [String], limits: WatchdogJudgement.Limits, activity: SaveActivity
  ) throws {
    guard communicator.size > 1, MPISession.allowsConcurrentCalls else { return nil }
    ranks = try communicator.split(group: 0)!
    self.hosts = hosts
    self.limits = limits
    interval = min(5, limits.hangSeconds / 8)
    waits = communicator.waits
    self.activity = activity
    Thread.detachNewThread { [self] in
      do {
        try ranks.communicator.rank == 0 ? watch() : tell()
      } catch {
        // Without its messages the watchdog can tell nothing; training finds out by itself what is wrong.
      }
      isOver.signal()
    }
  }

  /// Ends the thread. To be called by each rank before it leaves.
  func stop() {
    if hasStopped { return }
    hasStopped = true
    isStopping.store(true, ordering: .releasing)
    wakeUp.signal()
    isOver.wait()
  }

  /// Notes that a step was done.
  func note(step: Int) { self.step.store(step, ordering: .relaxed) }

  /// How this rank gets on.
  private var report: WatchdogJudgement.Report {
    WatchdogJudgement.Report(
      progress: WorkerPool.loopCount + waits.count, isWaiting: waits.isWaiting, step: step.load(ordering: .relaxed),
      save: activity.current.map { .init(seconds: $0.start.secondsUntilNow, parts: $0.parts) })
  }

  /// Sleeps for one interval, or until `stop`.
  private func rest() { _ = wakeUp.wait(timeout: .now() + interval / 2) }

  private var mayGoOn: Bool { !isStopping.load(ordering: .acquiring) }

  // MARK: Rank 0

  private func watch() throws {
    let communicator = ranks.communicator
    var judgement = WatchdogJudgement(rankCount: communicator.size, limits: limits, now: Self.now)
    let width = WatchdogJudgement.Report.width
    let numbers = UnsafeMutablePointer<Int64>.allocate(capacity: width * communicator.size)
    let pulse = UnsafeMutablePointer<Int64>.allocate(capacity: 1)
    defer {
      numbers.deallocate()
      pulse.deallocate()
    }
    pulse.pointee = 0
    let others = 1..<communicator.size
    let received = others.map { _ in MessageSet(communicator, capacity: 1) }
    let sent = others.map { _ in MessageSet(communicator, capacity: 1) }
    func listen(_ rank: Int) throws {
      try received[rank - 1].receive(numbers + rank * width, count: width, from: rank, tag: Self.reportTag)
    }
    for rank in others { try listen(rank) }
    while mayGoOn {
      judgement.note(report, of: 0, now: Self.now)
      for rank in others {
        while try received[rank - 1].advance() {
          judgement.note(.init(numbers + rank * width), of: rank, now: Self.now)
          try listen(rank)
        }
        // One that does not take the last pulse gets no other.
        if try sent[rank - 1].advance() { try sent[rank - 1].send(pulse, count: 1, to: rank, tag: Self.pulseTag) }
      }
      if let verdict = judgement.verdict(now: Self.now, hosts: hosts) { end(verdict) }
      rest()
    }
    for messages in received { messages.cancelReceives() }
    for messages in sent { while try !messages.advance() {} }
  }

  // MARK: The others

  private func tell() throws {
    let communicator = ranks.communicator
    let width = WatchdogJudgement.Report.width
    let numbers = UnsafeMutablePointer<Int64>.allocate(capacity: width)
    let pulse = UnsafeMutablePointer<Int64>.allocate(capacity: 1)
    defer {
      numbers.deallocate()
      pulse.deallocate()
    }
    let received = MessageSet(communicator, capacity: 1)
    let sent = MessageSet(communicator, capacity: 1)
    var silence = SilenceClock(now: Self.now)
    // Rank 1 tells that rank 0 is silent; the others, if it cannot, a little later.
    let patience = limits.hangSeconds + (communicator.rank == 1 ? 0 : 2 * interval + 1)
    try received.receive(pulse, count: 1, from: 0, tag: Self.pulseTag)
    while mayGoOn {
      while try received.advance() {
        silence.hear(now: Self.now)
        try received.receive(pulse, count: 1, from: 0, tag: Self.pulseTag)
      }
      if try sent.advance() {
        report.write(to: numbers)
        try sent.send(numbers, count: width, to: 0, tag: Self.reportTag)
      }
      silence.tick(now: Self.now, interval: interval)
      if silence.seconds(now: Self.now) > patience {
        end("rank 0 on \(hosts[0]) has not been heard of for \(Int(silence.seconds(now: Self.now))) s")
      }
      rest()
    }
    received.cancelReceives()
    while try !sent.advance() {}
  }

  private func end(_ verdict: String) -> Never {
    JobAbort.abort(
      "\(verdict); ending the job, which can go on from its last checkpoint with --resume "
        + "(training.hang_timeout_seconds and training.save_timeout_seconds say how long to wait)",
      status: .hung)
  }

  private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }
}

/// How long nothing was heard, as far as this process itself was running: a job that is suspended as a whole, or a laptop
/// that sleeps, is not one that hangs.
package struct SilenceClock: Sendable {
  private var lastHeard: Double
  private var lastTick: Double

  package init(now: Double) {
    lastHeard = now
    lastTick = now
  }

  package mutating func hear(now: Double) { lastHeard = max(lastHeard, now) }

  /// To be called in every interval.
  package mutating func tick(now: Double, interval: Double) {
    let gap = now - lastTick
    // This process was not running either.
    if gap > 2 * interval + 1 { lastHeard += gap }
    lastTick = now
  }

  package func seconds(now: Double) -> Double { now - lastHeard }
}

/// Decides which rank hangs, from what the ranks report.
package struct WatchdogJudgement: Sendable {
  package struct Limits: Sendable, Equatable {
    /// How long a rank may be silent, or without progress.
    package var hangSeconds: Double
    /// How long a save may take.
    package var saveSeconds: Double

    package init(hangSeconds: Double, saveSeconds: Double) {
      self.hangSeconds = hangSeconds
      self.saveSeconds = saveSeconds
    }
  }

  /// How a rank gets on.
  package struct Report: Sendable, Equatable {
    /// A number that changes when the rank has done something.
    package var progress: Int
    /// Whether it waits for other ranks.
    package var isWaiting: Bool
    /// Steps done.
    package var step: Int
    /// The save under way, if any.
    package var save: Save?

    package struct Save: Sendable, Equatable {
      package var seconds: Double
      /// How far it has come.
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

    /// Reads `width` numbers.
    package init(_ numbers: UnsafePointer<Int64>) {
      self.init(
        progress: Int(numbers[0]), isWaiting: numbers[1] != 0, step: Int(numbers[2]),
        save: numbers[3] < 0 ? nil : Save(seconds: Double(numbers[3]) * 1e-3, parts: Int(numbers[4])))
    }

    /// Writes `width` numbers.
    package func write(to numbers: UnsafeMutablePointer<Int64>) {
      numbers[0] = Int64(progress)
      numbers[1] = isWaiting ? 1 : 0
      numbers[2] = Int64(step)
      numbers[3] = save.map { Int64($0.seconds * 1e3) } ?? -1
      numbers[4] = Int64(save?.parts ?? 0)
    }
  }

  private struct Rank {
    var report: Report?
    var silence: SilenceClock
    /// Since it last made progress, or was last seen waiting.
    var idleness: SilenceClock
    /// Since its progress last changed, waiting or not.
    var stillness: SilenceClock
  }

  private let limits: Limits
  private var ranks: [Rank]
  private var lastLook: Double

  package init(rankCount: Int, limits: Limits, now: Double) {
    self.limits = limits
    let clock = SilenceClock(now: now)
    ranks = [Rank](
      repeating: Rank(report: nil, silence: clock, idleness: clock, stillness: clock), count: rankCount)
    lastLook = now
  }

  package mutating func note(_ report: Report, of rank: Int, now: Double) {
    ranks[rank].silence.hear(now: now)
    let hasMoved = ranks[rank].report?.progress != report.progress
    // A save has a time limit of its own.
    let isFree = hasMoved || report.save != nil
    if isFree { ranks[rank].stillness.hear(now: now) }
    if isFree || report.isWaiting { ranks[rank].idleness.hear(now: now) }
    ranks[rank].report = report
  }

  /// What is wrong with which ranks, in words; nil if nothing is.
  package mutating func verdict(now: Double, hosts: [String]) -> String? {
    for rank in ranks.indices {
      let interval = min(5, limits.hangSeconds / 8)
      ranks[rank].silence.tick(now: now, interval: interval)
      ranks[rank].idleness.tick(now: now, interval: interval)
      ranks[rank].stillness.tick(now: now, interval: interval)
    }
    if let all = name(hosts, { $0.silence.seconds(now: now) > limits.hangSeconds }) {
      return "\(all) not been heard of for \(Int(limits.hangSeconds)) s\(lastSteps)"
    }
    if let all = name(hosts, { $0.idleness.seconds(now: now) > limits.hangSeconds }) {
      return "\(all) made no progress for \(Int(limits.hangSeconds)) s\(lastSteps)"
    }
    // All wait inside of the same calls for the one that hangs, so who that is cannot be told; how far each has come can.
    let saves = ranks.compactMap(\.report?.save)
    if saves.contains(where: { $0.seconds > limits.saveSeconds }) {
      let places = Set(saves.map(\.parts)).sorted().compactMap { parts in
        names(hosts, { $0.report?.save?.parts == parts }).map { "\($0) at part \(parts)" }
      }
      return "a checkpoint has been under way for more than \(Int(limits.saveSeconds)) s, "
        + "\(places.joined(separator: ", "))\(lastSteps)"
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
