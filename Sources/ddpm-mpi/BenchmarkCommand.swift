import ArgumentParser
import Foundation
import Kernels
import MessagePassing
import Training

struct BenchmarkCommand: RankCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark", abstract: "Time training or sampling on this machine.",
    usage: """
      ddpm-mpi benchmark [--preset <name>] [--job train|sample]
                         [--batch <n>] [--micro-batch <n>] [--threads <n>]
                         [--steps <n>] [--json]
      """,
    discussion: "Random images, so that no data set is needed. Under mpirun the figures are those of the whole job.")

  @Option(help: ArgumentHelp("The network: \(presetNames).", valueName: "name"))
  var preset = "cifar10"

  @Option(help: "What to time.")
  var job = Benchmark.Job.train

  @Option(help: ArgumentHelp("Images per step over all ranks (default: the preset's).", valueName: "n"))
  var batch: Int?

  @Option(
    help: ArgumentHelp(
      "Images that train together, the unit that ranks share out (default: what shares them out best, at most 16).",
      valueName: "n"))
  var microBatch: Int?

  @Option(help: ArgumentHelp("Threads per rank.", valueName: "n"))
  var threads = 1

  @Option(help: ArgumentHelp("Steps to time, after one to warm up.", valueName: "n"))
  var steps = 5

  @Flag(help: "Print one line of JSON.")
  var json = false

  func validate() throws {
    for (name, value) in [("--threads", threads), ("--steps", steps), ("--batch", batch ?? 1)] where value < 1 {
      throw ValidationError("\(name) is \(value); it must be at least 1.")
    }
    if let microBatch, microBatch < 1 {
      throw ValidationError("--micro-batch is \(microBatch); it must be at least 1.")
    }
    if job == .sample && microBatch != nil {
      throw ValidationError("--micro-batch is for --job train; sampling takes each rank's images together.")
    }
  }

  mutating func run(on communicator: Communicator) throws {
    let benchmark = try communicator.together {
      try Benchmark(
        preset: try Presets.named(preset), job: job, batch: batch, microBatch: microBatch, threads: threads,
        steps: steps, rankCount: communicator.size)
    }
    let result = try benchmark.run(communicator: communicator)
    guard communicator.rank == 0 else { return }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      print(String(decoding: try encoder.encode(result), as: UTF8.self))
    } else {
      let parameters = ProgressFormat.count(result.parameters)
      let ranks = result.ranks == 1 ? "1 rank" : "\(result.ranks) ranks"
      let threads = result.threads == 1 ? "1 thread" : "\(result.threads) threads"
      let pieces = job == .train ? " in micro-batches of \(result.microBatch)" : ""
      print(
        """
        \(result.job) \(result.preset): \(parameters) parameters, \(ranks) x \(threads), batch \(result.batch)\(pieces)
        \(result.imagesPerSecondMedian) images/s (median of \(steps)), \(result.imagesPerSecondBest) (best), \
        \(result.peakResidentGigabytes) GiB resident at the peak over all ranks
        vectors of \(Processor.vectorBits) bits
        """)
    }
  }
}

extension Benchmark.Job: ExpressibleByArgument {}
