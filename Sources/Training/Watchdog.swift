import Glibc
import MessagePassing
import Ranks
import Synchronization
import Tensors
import Threads

/// Ends the job if a rank hangs, and names the rank. Causes are a stopped process, a machine that the network has lost,
/// a file system that does not respond, or a save that does not finish.
///
/// Every rank has a thread that reports its progress to rank 0 at short intervals, and hears from rank 0 in return.
/// `WatchdogJudgement` evaluates the reports. A rank that does not hear from rank 0 for too long ends the job as well.
/// So does one whose host has lost another host, if there are `HostLinks`.
final class Watchdog: @unchecked Sendable {
  private let ranks: SplitCommunicator
  private let hosts: [String]
  private let links: HostLinks?
  private let limits: WatchdogJudgement.Limits
  private let waits: WaitRecord
  private let activity: SaveActivity
  private let step = Atomic<Int>(0)
  private let isStopping = Monitor(false)
  private var thread: BackgroundThread?

  /// Starts watching; nil if the job has one rank, or MPI allows no calls from two threads. Collective.
  /// - Parameters:
  ///   - hosts: the host of every rank.
  ///   - links: the connections between the hosts, if the launcher does not notice a lost host.
  ///   - activity: the progress of this rank's save.
  init?(
    communicator: Communicator, hosts: [String], links: HostLinks?, limits: WatchdogJudgement.Limits,
    activity: SaveActivity
  ) throws {
    guard communicator.size > 1, MPISession.allowsConcurrentCalls else { return nil }
    ranks = try communicator.split(group: 0)!
    self.hosts = hosts
    self.links = links
    self.limits = limits
    waits = communicator.waits
    self.activity = activity
    thread = BackgroundThread("watchdog") { [self] in
      do {
        try ranks.communicator.rank == 0 ? watch() : tell()
      } catch {
        // Without messages the watchdog cannot work; training itself will notice what is wrong.
      }
    }
  }

  /// Ends the thread. Each rank must call it before it exits.
  func stop() {
    isStopping.update { $0 = true }
    thread.take()?.join()
  }

  /// Records that a step was done.
  func note(step: Int) { self.step.store(step, ordering: .relaxed) }

  /// The progress of this rank.
  private var report: WatchdogJudgement.RankReport {
    WatchdogJudgement.RankReport(
      progress: WorkerPool.loopCount + waits.count, isWaiting: waits.isWaiting, step: step.load(ordering: .relaxed),
      save: activity.current)
  }

  /// Sleeps for half an interval, or until `stop`.
  /// - Returns: whether to continue.
  private func rest() -> Bool {
    isStopping.wait(atMost: .seconds(limits.interval / 2)) { $0 ? () : nil } == nil
  }

  // MARK: Rank 0

  private func watch() throws {
    var judgement = WatchdogJudgement(rankCount: hosts.count, limits: limits, now: Self.now)
    let others = try (1..<hosts.count).map {
      try Correspondence(with: $0, over: ranks.communicator, receiving: WatchdogJudgement.RankReport.width)
    }
    repeat {
      judgement.note(report, of: 0, now: Self.now)
      for other in others {
        while let numbers = try other.receive() { judgement.note(.init(numbers), of: other.rank, now: Self.now) }
        try other.send(Self.pulse)
      }
      if let verdict = judgement.verdict(now: Self.now, hosts: hosts) { end(verdict) }
      endIfHostIsLost()
    } while rest()
    for other in others { try other.end() }
  }

  /// The message by which rank 0 shows that it is running.
  private static let pulse = [0]

  // MARK: The others

  private func tell() throws {
    let first = try Correspondence(with: 0, over: ranks.communicator, receiving: Self.pulse.count)
    var silence = SilenceClock(now: Self.now)
    // Rank 1 reports that rank 0 is silent; the others do so a little later, in case rank 1 cannot.
    let patience = limits.hangSeconds + (ranks.communicator.rank == 1 ? 0 : 2 * limits.interval + 1)
    repeat {
      while try first.receive() != nil { silence.hear(now: Self.now) }
      try first.send(report.numbers)
      silence.tick(now: Self.now, interval: limits.interval)
      if silence.seconds(now: Self.now) > patience {
        end("rank 0 on \(hosts[0]) has not responded for \(Int(silence.seconds(now: Self.now))) s")
      }
      endIfHostIsLost()
    } while rest()
    try first.end()
  }

  private func endIfHostIsLost() {
    if let host = links?.lostHost {
      end("the host \(host) cannot be reached any more", "\(Launcher.linkVariable) sets")
    }
  }

  private func end(
    _ verdict: String, _ settings: String = "training.hang_timeout_seconds and training.save_timeout_seconds set"
  ) -> Never {
    JobAbort.abort(
      "\(verdict); ending the job, which can continue from its last checkpoint with --resume "
        + "(\(settings) how long to wait)",
      status: .hung)
  }

  private static let start = SuspendingClock.now
  private static var now: Double { start.duration(to: .now).inSeconds }
}

/// Short messages exchanged with another rank.
private final class Correspondence {
  let rank: Int
  private let received: MessageSet
  private let sent: MessageSet
  private let incoming: Buffer<Int>

  /// - Parameter width: the number of values of each received message.
  init(with rank: Int, over communicator: Communicator, receiving width: Int) throws {
    self.rank = rank
    received = MessageSet(communicator, capacity: 1)
    sent = MessageSet(communicator, capacity: 1)
    incoming = Buffer(count: width)
    try listen()
  }

  private func listen() throws { try received.receive(0..<incoming.count, of: incoming, from: rank, tag: 0) }

  /// The next message that has arrived; nil if there is none.
  func receive() throws -> [Int]? {
    guard try received.advance() else { return nil }
    let numbers = incoming.elements
    try listen()
    return numbers
  }

  /// Sends a message, unless the previous one is still pending.
  func send(_ numbers: [Int]) throws {
    guard try sent.advance() else { return }
    let outgoing = Buffer<Int>(count: numbers.count)
    outgoing.store(numbers)
    try sent.send(0..<numbers.count, of: outgoing, to: rank, tag: 0)
  }

  /// Cancels receiving, and returns when the last message has been received by the other rank.
  func end() throws {
    received.cancelReceives()
    while try !sent.advance() { usleep(1000) }
  }
}
