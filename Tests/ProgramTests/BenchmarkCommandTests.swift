import Testing

struct BenchmarkCommandTests {
  private static let quick: Words = "benchmark --preset shapes --set model.multipliers=[1,1] --batch 4 --steps 2"

  struct Report: Decodable {
    let ranks: Int
    let threads: Int
    let parameters: Int
    let vectorBits: Int
    let reduction: String
    let secondsPerStep: [Double]
    let imagesPerSecondBest: Double
    let imagesPerSecondMedian: Double
    let imagesPerSecondPerCore: Double
    let peakResidentGb: Double
    let memoryEstimateGb: Double
    let forwardGflopPerImage: Double
    let setupSeconds: Double
  }

  @Test func reportHasItsKeysAndNoProfile() async throws {
    let run = try await ddpm("\(Self.quick) --json", ranks: 2)
    let report = try run.json(as: Report.self)
    #expect(report.ranks == 2 && report.secondsPerStep.count == 2)
    #expect([128, 256, 512].contains(report.vectorBits))
    #expect(abs(2 * report.imagesPerSecondPerCore - report.imagesPerSecondMedian) < 0.01)
    #expect(!run.says("profile"))
  }

  @Test(arguments: [
    Words("--preset shapes --batch 16 --micro-batch 16"), Words("--preset cifar10 --batch 4 --micro-batch 4"),
    Words("--preset cifar10-ncsnpp-ve --batch 2 --micro-batch 1"), Words("--preset cifar10 --batch 8 --job sample"),
    Words("--preset imagenet64-adm --set model.channels=64 --batch 2 --micro-batch 1"),
    Words("--preset shapes --batch 16 --micro-batch 16 --set model.precision=bfloat16"),
    Words("--preset cifar10 --batch 4 --micro-batch 4 --set model.precision=bfloat16"),
  ])
  func memoryEstimateIsAccurate(job: Words) async throws {
    let report = try await ddpm("benchmark \(job) --steps 1 --json").json(as: MemoryReport.self)
    // The program itself takes some memory in addition to the estimate.
    let program = 0.1
    #expect(report.peakResidentGb / 2 - program < report.memoryEstimateGb)
    #expect(report.memoryEstimateGb < report.peakResidentGb)
  }

  /// In a deep network, whose activations take most of the memory.
  @Test func valuesInBFloat16TakeLessMemory() async throws {
    func peak(_ precision: String) async throws -> Double {
      try await ddpm(
        """
        benchmark --preset shapes --set model.blocks=4 --batch 64 --micro-batch 64 --steps 1 --json
        --set model.precision=\(precision)
        """
      ).json(as: MemoryReport.self).peakResidentGb
    }
    let (float32, bfloat16) = (try await peak("float32"), try await peak("bfloat16"))
    // Measured: 0.73.
    #expect(bfloat16 < 0.85 * float32)
  }

  struct MemoryReport: Decodable {
    let peakResidentGb: Double
    let memoryEstimateGb: Double
  }

  @Test func jobsAndReductionsAreChosen() async throws {
    try await ddpm("benchmark --preset shapes --steps 1", ranks: 3).succeeds(
      saying: "batch 16 in micro-batches of 2")
    try await ddpm("benchmark --preset shapes --job sample --batch 4 --steps 2")
      .succeeds(saying: /[0-9] per core, .*resident/, /(?m)^vectors of (128|256|512) bits/)
    try await ddpm("\(Self.quick) --reduction allreduce", ranks: 2).succeeds(saying: "gradients by MPI_Allreduce")
    try await ddpm("\(Self.quick) --image-size 16 --set model.attention_resolutions=[8]")
      .succeeds(saying: "images of 16x16, 1 rank")
    try await ddpm("benchmark --preset fields --set data.channels=4 --batch 4 --steps 1")
      .succeeds(saying: "images of 32x32, 1 rank")
    let start = try await ddpm("benchmark --preset shapes --job start --json", ranks: 2)
    start.succeeds(saying: "\"setup_seconds\":")
    #expect(!start.says("seconds_per_step"))
  }

  @Test func incompatibleOptionsAreRefused() async throws {
    for refusal in [
      Refusal(
        "benchmark --preset shapes --batch 10 --micro-batch 4", "--batch 10 is not a multiple of --micro-batch 4"),
      Refusal(
        "benchmark --set training.batch=8", "--set training.batch=8: a benchmark accepts keys of model, ",
        "training.recompute_activations, training.overlap, training.wire, "),
      Refusal(
        "benchmark --preset shapes --set data.channels=4", "--set data.channels=4: a benchmark accepts keys of model, "),
      Refusal("benchmark --set model.chanels=64", "did you mean model.channels"),
      Refusal(
        "benchmark --preset shapes --image-size 24",
        "which is not a resolution of the network; with a height of 24"),
      Refusal("benchmark --image-size 0", "--image-size is 0; it must be at least 1"),
      Refusal(
        "benchmark --job sample --reduction allreduce",
        "--reduction is for --job train; --job sample adds up no gradients"),
      Refusal("benchmark --reduction ring", "The value 'ring' is invalid for '--reduction"),
      Refusal("benchmark --job start --steps 2", "--steps and --job start exclude each other"),
      Refusal("benchmark --job start --scaling", "--scaling and --job start exclude each other"),
      Refusal("benchmark --job start --profile", "--profile and --job start exclude each other"),
      Refusal("benchmark --profile --scaling", "--profile and --scaling exclude each other"),
    ] {
      try await refusal.check()
    }
    try await ddpm("\(Self.quick) --scaling").ends(
      2, saying: "--scaling compares numbers of ranks, but this job has one")
    try await ddpm("benchmark --scaling --batch 5", ranks: 2)
      .ends(2, saying: "--batch 5 cannot be shared evenly by 2 ranks")
  }
}
