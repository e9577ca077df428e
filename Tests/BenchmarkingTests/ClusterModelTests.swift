import Benchmarking
import DataParallel
import Ranks
import Testing

/// A machine with round numbers: an image takes 3 seconds forward and backward.
private func model(
  gigabits: Double = 8, latency: Double = 0, overlaps: Bool = true, wireBytes: Int = 4
) -> ClusterModel {
  ClusterModel(
    machine: .init(
      forward: .init(perPass: 0, perImage: 1), backward: .init(perPass: 0, perImage: 2), serialShare: 0,
      updateSecondsPerFloat: 0, copiedBytesPerSecond: .infinity, allCoresCopiedBytesPerSecond: .infinity,
      activationBytesPerImage: 0),
    network: .init(
      bytesPerSecond: gigabits * 1e9 / 8, latency: latency, bytesPerCoreSecond: .infinity,
      storageBytesPerSecond: 1e9),
    workload: .init(
      arenaCount: 250 * blocks, batch: 64, microBatch: 4, averageCount: 1, wireBytes: wireBytes, overlaps: overlaps))
}

/// 250 times this are 2⁸ buckets of 64 blocks.
private let blocks = 64 * 4096 * 256 / 250 / 4096 * 4096

private func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1e-12) }

@Suite struct ClusterModelTests {
  private func arrangement(_ nodes: Int, _ slots: Int = 1, threads: Int = 1) -> ClusterModel.Arrangement {
    .init(grid: RankGrid(nodes: nodes, slots: slots), threads: threads, microBatch: 4)
  }

  @Test func oneRankOnlyComputes() {
    let prediction = model().predict(arrangement(1))
    #expect(close(prediction.stepSeconds, 64 * 3))
    #expect(close(prediction.imagesPerSecond, 1.0 / 3))
    #expect(prediction.exposedSeconds == 0 && prediction.messagesPerRank == 0)
  }

  @Test func threadsFollowAmdahlsLaw() {
    var model = model()
    var machine = model.machine
    machine.serialShare = 0.25
    model = ClusterModel(machine: machine, network: model.network, workload: model.workload)
    #expect(close(model.predict(arrangement(1, threads: 4)).stepSeconds, 64 * 3 * (0.25 + 0.75 / 4)))
  }

  /// Without overlap, latency and copies: half of the arena is sent and half of it received, twice.
  @Test func twoMachinesWaitForTheirBytesWithoutOverlap() {
    let model = model(overlaps: false)
    let prediction = model.predict(arrangement(2))
    let arenaBytes = Double(model.workload.arenaCount) * 4
    #expect(close(prediction.networkSeconds, 2 * arenaBytes / 2 / 1e9))
    #expect(close(prediction.exposedSeconds, prediction.networkSeconds))
    #expect(close(prediction.stepSeconds, 32 * 3 + prediction.networkSeconds))
  }

  @Test func halfTheBytesOfGradientsTakeHalfTheTime() {
    let (whole, half) = (model(overlaps: false), model(overlaps: false, wireBytes: 2))
    #expect(
      close(
        half.predict(arrangement(2)).networkSeconds, whole.predict(arrangement(2)).networkSeconds * 0.75))
  }

  @Test func overlapExposesTheLastBucketAndExcessTraffic() {
    // A pass takes 4 s forward and 8 s backward.
    let fast = model(gigabits: 8).predict(arrangement(2))
    #expect(close(fast.exposedSeconds, fast.networkSeconds / Double(sharding(fast).buckets.count)))
    let slow = model(gigabits: 0.01).predict(arrangement(2))
    #expect(close(slow.exposedSeconds, slow.networkSeconds - 12))
  }

  @Test func aMachineSendsAsMuchAsASingleRankWouldSend() {
    let model = model(overlaps: false)
    #expect(
      close(model.predict(arrangement(2, 4)).networkSeconds, model.predict(arrangement(2, 1)).networkSeconds))
  }

  @Test func messagesTakeTheirLatency() {
    let (with, without) = (model(latency: 1e-3, overlaps: false), model(overlaps: false))
    let (slow, fast) = (with.predict(arrangement(4)), without.predict(arrangement(4)))
    #expect(close(slow.networkSeconds - fast.networkSeconds, Double(slow.messagesPerRank) * 1e-3))
    #expect(slow.messagesPerRank == 2 * 3 * sharding(slow).buckets.count)
  }

  @Test func theBestArrangementIsNoSlowerThanAnyOther() throws {
    let model = model(gigabits: 1)
    for nodes in [1, 2, 4, 8] {
      let best = try #require(model.best(nodes: nodes, coresPerNode: 8))
      for slots in [1, 2, 4, 8] where nodes * slots <= 16 {
        #expect(best.stepSeconds <= model.predict(arrangement(nodes, slots, threads: 8 / slots)).stepSeconds)
      }
    }
    #expect(model.best(nodes: 128, coresPerNode: 1) == nil)
  }

  @Test func memoryPerRankFallsWithTheNumberOfRanks() {
    let model = model()
    let sizes = [1, 2, 4, 8, 16].map { model.predict(arrangement($0)).bytesPerRank }
    #expect(sizes == sizes.sorted(by: >))
    #expect(model.predict(arrangement(2)).checkpointBytes == 4 * 4 * model.workload.arenaCount)
  }

  private func sharding(_ prediction: ClusterModel.Forecast) -> Sharding {
    Sharding(arenaCount: model().workload.arenaCount, grid: prediction.arrangement.grid)
  }
}
