import Failures
import MessagePassing
import Reporting

/// Times the same job on the first 1, 2, 4, … ranks and on all ranks, while the others sleep.
package struct ScalingBenchmark {
  /// The result for one number of ranks.
  package struct Row: Sendable, Encodable {
    package let ranks: Int
    /// Images per step over these ranks.
    package let batch: Int
    /// The number of images that pass through the network together.
    package let microBatch: Int
    package let secondsPerStep: [Double]
    package let imagesPerSecondMedian: Double
    package let imagesPerSecondPerCore: Double
    /// Images per second and rank, relative to one rank.
    package let efficiency: Double
  }

  /// The measurements.
  package struct Result: Sendable, Encodable {
    package let job: String
    package let preset: String
    package let settings: [String]
    package let imageSize: Int
    package let parameters: Int
    package let threads: Int
    package let reduction: String?
    package let vectorBits: Int
    /// The batch is the same for all numbers of ranks.
    package let strong: [Row]
    /// The batch per rank is the same for all numbers of ranks.
    package let weak: [Row]

    /// The result for users: two tables.
    package var text: String {
      """
      \(BenchmarkText.subject(job, preset, settings, imageSize: imageSize, parameters: parameters)), \
      \(ProgressFormat.count(threads, of: "thread")) per rank
      \(BenchmarkText.build)

      Strong scaling: \(strong[0].batch) images per step over all ranks
      \(Self.table(strong))

      Weak scaling: \(ProgressFormat.count(weak[0].batch, of: "image")) per step and rank
      \(Self.table(weak))
      """
    }

    private static func table(_ rows: [Row]) -> String {
      let cells = rows.map { row in
        [
          "\(row.ranks)", "\(row.batch)", "\(row.microBatch)",
          ProgressFormat.rate(row.imagesPerSecondMedian), ProgressFormat.rate(row.imagesPerSecondPerCore),
          ProgressFormat.decimal(row.efficiency * 100, places: 1) + "%",
        ]
      }
      return textTable([["ranks", "batch", "at once", "images/s", "images/s per core", "efficiency"]] + cells)
    }
  }

  private let request: Benchmark.Request
  private let strong: [(ranks: Int, benchmark: Benchmark)]
  private let weak: [(ranks: Int, benchmark: Benchmark)]

  /// - Parameter request: its batch is that of all ranks; with fewer ranks, strong scaling keeps the whole batch, and
  ///   weak scaling keeps the batch per rank.
  /// - Throws: `InputError` if the numbers are inconsistent for any number of ranks.
  package init(_ request: Benchmark.Request, rankCount: Int) throws {
    guard rankCount > 1 else {
      throw InputError("--scaling compares numbers of ranks, but this job has one; start it with mpirun -n RANKS")
    }
    let whole = try Benchmark(request, rankCount: rankCount)
    guard whole.batch.isMultiple(of: rankCount) else {
      throw InputError(
        "--batch \(whole.batch) cannot be shared evenly by \(rankCount) ranks, as weak scaling requires; "
          + "use a multiple of \(rankCount)")
    }
    self.request = request
    let counts = Self.rankCounts(upTo: rankCount)
    strong = try counts.map { ($0, try Benchmark(request, rankCount: $0)) }
    weak = try counts.map { ranks in
      var part = request
      part.batch = whole.batch / rankCount * ranks
      return (ranks, try Benchmark(part, rankCount: ranks))
    }
  }

  /// The powers of two below `rankCount`, and `rankCount`.
  static func rankCounts(upTo rankCount: Int) -> [Int] {
    Array(sequence(first: 1) { $0 * 2 }.prefix { $0 < rankCount }) + [rankCount]
  }

  /// Collective. Returns the result on rank 0, nil on other ranks.
  package func run(communicator: Communicator) throws -> Result? {
    let strong = try run(strong, communicator)
    let weak = try run(weak, communicator)
    guard communicator.rank == 0 else { return nil }
    let any = strong[0]
    return Result(
      job: any.job, preset: any.preset, settings: any.settings, imageSize: any.imageSize, parameters: any.parameters,
      threads: any.threads, reduction: any.reduction, vectorBits: any.vectorBits, strong: Self.rows(strong),
      weak: Self.rows(weak))
  }

  /// The results in which this rank took part.
  private func run(
    _ benchmarks: [(ranks: Int, benchmark: Benchmark)], _ communicator: Communicator
  ) throws -> [Benchmark.Result] {
    var results: [Benchmark.Result] = []
    for (ranks, benchmark) in benchmarks {
      if let part = try communicator.split(group: communicator.rank < ranks ? 0 : nil) {
        results.append(try benchmark.run(communicator: part.communicator))
        try part.close()
      }
      // Idle ranks must not take processor time from those that compute.
      try communicator.sleepingBarrier()
    }
    return results
  }

  private static func rows(_ results: [Benchmark.Result]) -> [Row] {
    let speedOfOne = results.first?.imagesPerSecondMedian ?? .nan
    return results.map { result in
      let speed = result.imagesPerSecondMedian ?? .nan
      return Row(
        ranks: result.ranks, batch: result.batch, microBatch: result.microBatch,
        secondsPerStep: result.secondsPerStep ?? [], imagesPerSecondMedian: speed,
        imagesPerSecondPerCore: result.imagesPerSecondPerCore ?? .nan,
        efficiency: rounded(speed / (Double(result.ranks) * speedOfOne), places: 4))
    }
  }
}
