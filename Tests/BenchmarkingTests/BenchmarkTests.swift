import Benchmarking
import Configuration
import Failures
import Testing

@Suite struct BenchmarkTests {
  private static func request(batch: Int, microBatch: Int? = nil, settings: [String] = []) -> Benchmark.Request {
    var request = Benchmark.Request(preset: "shapes")
    request.batch = batch
    request.microBatch = microBatch
    request.settings = settings
    return request
  }

  /// The busiest rank's images have priority, then large micro-batches, up to 16.
  @Test(arguments: [(64, 1, 16), (32, 2, 16), (32, 4, 8), (12, 3, 4), (12, 5, 1), (7, 2, 1), (8, 8, 1)])
  func microBatchesDivideTheBatchEvenly(batch: Int, rankCount: Int, expected: Int) throws {
    #expect(try Benchmark(Self.request(batch: batch), rankCount: rankCount).microBatch == expected)
  }

  @Test func batchThatLeavesRanksWithoutWorkIsRefused() {
    #expect(throws: InputError.self) { try Benchmark(Self.request(batch: 2), rankCount: 3) }
    #expect(throws: InputError.self) { try Benchmark(Self.request(batch: 8, microBatch: 4), rankCount: 3) }
    #expect(throws: InputError.self) { try Benchmark(Self.request(batch: 8, microBatch: 3), rankCount: 2) }
  }

  @Test func onlyKeysOfTheModelAndItsMemoryMayBeSet() throws {
    for setting in ["model.channels=64", "training.recompute_activations=blocks", "training.overlap=false"] {
      _ = try Benchmark(Self.request(batch: 2, settings: [setting]), rankCount: 1)
    }
    #expect(throws: InputError.self) {
      try Benchmark(Self.request(batch: 2, settings: ["training.steps=3"]), rankCount: 1)
    }
    #expect(throws: ConfigurationError.self) {
      try Benchmark(Self.request(batch: 2, settings: ["model.channels=63"]), rankCount: 1)
    }
  }

  @Test func imagesThatTheNetworkCannotHalveAreRefused() {
    var request = Self.request(batch: 2, settings: ["model.attention_resolutions=[]"])
    request.imageSize = 33
    #expect(throws: ConfigurationError.self) { try Benchmark(request, rankCount: 1) }
  }

  @Test func scalingNeedsSeveralRanksAndABatchThatTheyShareEvenly() throws {
    _ = try ScalingBenchmark(Self.request(batch: 12), rankCount: 3)
    #expect(throws: InputError.self) { try ScalingBenchmark(Self.request(batch: 12), rankCount: 1) }
    #expect(throws: InputError.self) { try ScalingBenchmark(Self.request(batch: 12), rankCount: 5) }
  }
}
