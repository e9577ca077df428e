import Ranks
import Tensors
import Testing

@Suite struct RankPlacementTests {
  /// Ranks on one host, each with the given processors.
  private static func placement(_ sets: [String], threads: Int = 1, hosts: [String] = []) -> RankPlacement {
    RankPlacement(
      sets.enumerated().map { index, set in
        .init(
          host: hosts.isEmpty ? "one" : hosts[index], processors: ProcessorSet(set)!, threads: threads)
      })
  }

  @Test(arguments: [
    (["0-3"], 4, false), (["0-3"], 5, true), (["0", "1"], 1, false), (["0", "1"], 2, true),
    (["0-1", "0-1"], 1, false), (["0-1", "0-1"], 2, true), (["0-2", "0-2", "0-2"], 1, false),
    (["0-3", "4-7"], 4, false), (["0-3", "3-6"], 4, true), (["0", "0"], 1, true),
    // Two hardware threads of each core.
    (["0,8", "1,9"], 1, false), (["0,8", "1,9"], 2, false),
  ])
  func ranksAreCrowdedWhereThreadsOutnumberProcessors(sets: [String], threads: Int, isCrowded: Bool) {
    let placement = Self.placement(sets, threads: threads)
    #expect(sets.indices.map(placement.isCrowded) == sets.map { _ in isCrowded })
  }

  @Test func ranksOfOtherHostsDoNotCount() {
    let placement = Self.placement(["0-1", "0-1", "0"], threads: 2, hosts: ["one", "two", "two"])
    #expect((0..<3).map(placement.isCrowded) == [false, true, true])
  }

  @Test func ranksWithOwnProcessorsNeedNoAdvice() {
    #expect(Self.placement(["0-1", "2-3"], threads: 2).advice == nil)
    #expect(Self.placement(["0", "0"], hosts: ["one", "two"]).advice == nil)
  }

  @Test func adviceSaysWhatIsWrong() {
    let binding = Launcher.binding(threads: 2)
    let misfit = "rank 1 may run on 1 processor (4 of one), fewer than its 2 threads; " + binding
    #expect(Self.placement(["0-1", "4", "5"], threads: 2).misfit == misfit)
    #expect(Self.placement(["0-1", "4", "5"], threads: 2).advice == misfit)
    #expect(
      Self.placement(["0-3", "4-7", "0-3"], threads: 2).advice
        == "ranks 0 and 2 share processors of one; it can be faster to give each its own: " + binding)
    let crowded = Self.placement(["0-1", "0-1"], threads: 2)
    #expect(crowded.misfit == nil)
    #expect(
      crowded.advice
        == "ranks 0 and 1 share processors of one, which are fewer than the threads there; "
        + "use fewer ranks or threads")
  }

  @Test func containerQuotaCounts() {
    func placement(_ quota: Double?) -> RankPlacement {
      RankPlacement([0, 1].map { .init(host: "one", processors: ProcessorSet([$0]), threads: 1, quota: quota) })
    }
    #expect(!placement(nil).isCrowded(0) && placement(nil).advice == nil)
    #expect(!placement(2).isCrowded(0) && placement(2).advice == nil)
    #expect(placement(1.5).isCrowded(0) && placement(1.5).isCrowded(1))
    #expect(
      placement(1.5).advice
        == "the container of rank 0 on one grants only 1.5 processors, fewer than the threads there; "
        + "use fewer ranks or threads")
  }

  @Test func consecutiveRanksOnTheSameProcessorsAreAGroup() {
    let placement = Self.placement(["0-1", "0-1", "2", "0-1"])
    #expect(placement.groups.map(\.ranks) == [0...1, 2...2, 3...3])
    #expect(placement.minimumProcessors == 1)
  }
}
