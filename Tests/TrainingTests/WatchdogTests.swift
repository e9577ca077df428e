import Testing
import Training

private let limits = WatchdogJudgement.Limits(hangSeconds: 10, saveSeconds: 20)
private let hosts = ["a", "a", "b", "b"]

/// A job of four ranks with a simulated clock.
private struct Job {
  var judgement = WatchdogJudgement(rankCount: 4, limits: limits, now: 0)
  var reports = [WatchdogJudgement.RankReport](repeating: .init(progress: 0, isWaiting: false, step: 0), count: 4)

  /// Advances the clock by half seconds, in which all ranks except the silent ones send reports changed by `change`.
  mutating func pass(
    from start: Double, seconds: Double, silent: Set<Int> = [],
    _ change: (_ rank: Int, _ report: inout WatchdogJudgement.RankReport) -> Void
  ) -> (time: Double, verdict: String)? {
    var now = start
    while now < start + seconds {
      for rank in 0..<4 where !silent.contains(rank) {
        change(rank, &reports[rank])
        judgement.note(reports[rank], of: rank, now: now)
      }
      if let verdict = judgement.verdict(now: now, hosts: hosts) { return (now, verdict) }
      now += 0.5
    }
    return nil
  }
}

@Suite struct WatchdogTests {
  @Test func nothingIsReportedWhileAllRanksProgress() {
    var job = Job()
    #expect(job.pass(from: 0, seconds: 100) { $1.progress += 1 } == nil)
  }

  @Test func aSilentRankIsReportedInTime() throws {
    var job = Job()
    #expect(job.pass(from: 0, seconds: 30) { $1.progress += 1 } == nil)
    let end = try #require(
      job.pass(from: 30, seconds: 30, silent: [2]) { rank, report in
        report.isWaiting = true
        report.step = 7
      })
    #expect(end.verdict.hasPrefix("rank 2 on b has not responded for 10 s (the job has done 7 steps)"))
    #expect((39.5...40.5).contains(end.time))
  }

  @Test func allRanksOfALostHostAreReported() throws {
    var job = Job()
    let end = try #require(job.pass(from: 0, seconds: 30, silent: [2, 3]) { $1.isWaiting = true })
    #expect(end.verdict.hasPrefix("ranks 2, 3 on b have not responded"))
  }

  @Test func aRankThatNeitherWaitsNorProgressesIsReported() throws {
    var job = Job()
    let end = try #require(job.pass(from: 0, seconds: 30) { rank, report in report.isWaiting = rank != 1 })
    #expect(end.verdict.hasPrefix("rank 1 on a has made no progress for 10 s"))
  }

  @Test func ranksThatWaitForASlowRankAreNotReported() {
    var job = Job()
    let end = job.pass(from: 0, seconds: 100) { rank, report in
      report.isWaiting = rank != 1
      if rank == 1 { report.progress += 1 }
    }
    #expect(end == nil)
  }

  @Test func ranksThatWaitForEachOtherAreReported() throws {
    var job = Job()
    let end = try #require(job.pass(from: 0, seconds: 30) { $1.isWaiting = true })
    #expect(end.verdict.hasPrefix("all ranks have waited for one another for 10 s"))
  }

  @Test func aSaveThatTakesTooLongReportsTheProgressOfEachRank() throws {
    var job = Job()
    var now = 0.0
    let end = try #require(
      job.pass(from: 0, seconds: 60) { rank, report in
        now += 0.125
        report.progress += 1
        report.save = .init(seconds: now, parts: rank == 3 ? 29 : 30)
      })
    #expect(
      end.verdict.hasPrefix(
        "saving a checkpoint has taken more than 20 s, rank 3 on b at part 29, ranks 0, 1, 2 on a, b at part 30"))
    #expect((19...22).contains(end.time))
  }

  /// Nothing is computed while training waits for a save.
  @Test func aSaveMayTakeLongerThanAHang() {
    var job = Job()
    let end = job.pass(from: 0, seconds: 19) { $1.save = .init(seconds: 15, parts: 3) }
    #expect(end == nil)
  }

  @Test func aSaveThatEndsInTimeIsNotReported() {
    var job = Job()
    var count = 0
    let end = job.pass(from: 0, seconds: 100) { rank, report in
      count += 1
      report.progress += 1
      report.save = count / 4 % 40 < 30 ? .init(seconds: Double(count / 4 % 40) / 2, parts: 3) : nil
    }
    #expect(end == nil)
  }

  /// A job that is suspended as a whole (`scontrol suspend`) and then continues did not hang.
  @Test func timeInWhichTheWatchdogWasSuspendedDoesNotCount() {
    var job = Job()
    #expect(job.pass(from: 0, seconds: 5) { $1.progress += 1 } == nil)
    #expect(job.judgement.verdict(now: 500, hosts: hosts) == nil)
    #expect(job.pass(from: 500.5, seconds: 20) { $1.progress += 1 } == nil)
  }

  @Test func reportsRoundTripAsNumbers() {
    let reports: [WatchdogJudgement.RankReport] = [
      .init(progress: 5, isWaiting: true, step: 3), .init(progress: 1 << 40, isWaiting: false, step: 0),
      .init(progress: 9, isWaiting: false, step: 8, save: .init(seconds: 1.5, parts: 12)),
    ]
    for report in reports {
      #expect(report.numbers.count == WatchdogJudgement.RankReport.width)
      #expect(WatchdogJudgement.RankReport(report.numbers) == report)
    }
  }
}
