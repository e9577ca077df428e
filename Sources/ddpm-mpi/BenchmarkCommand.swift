import ArgumentParser
import Benchmarking
import DataParallel
import Files
import MessagePassing
import Reporting

struct BenchmarkCommand: RankCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark", abstract: "Time training or sampling on this machine.",
    usage: """
      ddpm-mpi benchmark [--preset <name>] [--job train|sample|start]
                         [--batch <n>] [--micro-batch <n>] [--threads <n>]
                         [--steps <n>] [--image-size <n>]
                         [--set <key=value> ...] [--reduction tree|allreduce]
                         [--scaling] [--profile] [--json]
      """,
    discussion: """
      Uses random images, so no data set is needed. Under mpirun the figures are those of the whole job; per core \
      means per thread of all ranks. --set accepts keys of the model, training.recompute_activations, training.overlap, \
      training.wire and training.release_gradients, and data.channels with the preset fields.

      EXAMPLES
        mpirun -n 2 ddpm-mpi benchmark --preset cifar10 --batch 32
        mpirun -n 8 ddpm-mpi benchmark --preset quickstart --scaling
        ddpm-mpi benchmark --set model.channels=64 --image-size 64 --batch 8
      """)

  @OptionGroup var options: PresetOptions

  @Option(help: "What to time; start is everything up to the first training step.")
  var job = Benchmark.Job.train

  @Option(number: "Images per step over all ranks (default: the preset's).")
  var batch: Int?

  @Option(
    number: """
      Images per forward and backward pass (default: what divides the batch best among ranks, at most 16 per thread).
      """)
  var microBatch: Int?

  @Option(number: "Threads per rank.")
  var threads = 1

  @Option(number: "Steps to time, after one to warm up (default: 5).")
  var steps: Int?

  @Option(number: "Height and width of the images (default: those of the preset's data).")
  var imageSize: Int?

  @Option(
    help: """
      How gradients are added up over ranks: with the tree that training uses, or for comparison with MPI_Allreduce, \
      whose bits depend on the number of ranks (default: tree).
      """)
  var reduction: ReductionMethod?

  @Flag(
    help: """
      Time the first 1, 2, 4, … ranks while the others sleep, both with the same batch and with the same batch per rank.
      """)
  var scaling = false

  @Flag(
    help: """
      Show where a step's time goes: each kind of operation, compared with the shortest time in which this machine \
      could do its arithmetic and move its data, at the measured peaks.
      """)
  var profile = false

  @Flag(help: "Print one line of JSON.")
  var json = false

  func validate() throws {
    try require("--batch", batch, in: OptionRange.batch)
    try require("--micro-batch", microBatch, in: OptionRange.batch)
    try require("--threads", threads, in: OptionRange.threads)
    try require("--steps", steps, in: OptionRange.steps)
    try require("--image-size", imageSize, in: 1...16384)
    let (trains, samples, starts) = (job == .train, job == .sample, job == .start)
    let conflicts: [(isGiven: Bool, problem: String)] = [
      (samples && microBatch != nil, "--micro-batch is for training; --job sample takes each rank's images together."),
      (!trains && reduction != nil, "--reduction is for --job train; --job \(job.rawValue) adds up no gradients."),
      (starts && steps != nil, "--steps and --job start exclude each other; it ends before the first step."),
      (starts && scaling, "--scaling and --job start exclude each other; there are no steps to compare."),
      (starts && profile, "--profile and --job start exclude each other; there are no steps to profile."),
      (scaling && profile, "--profile and --scaling exclude each other; profile one number of ranks at a time."),
    ]
    for conflict in conflicts where conflict.isGiven { throw ValidationError(conflict.problem) }
  }

  private var request: Benchmark.Request {
    var request = Benchmark.Request(preset: options.preset)
    request.settings = options.settings
    request.imageSize = imageSize
    request.job = job
    request.batch = batch
    request.microBatch = microBatch
    request.threads = threads
    request.profiles = profile
    if let steps { request.steps = steps }
    if let reduction { request.reduction = reduction }
    return request
  }

  var files: CommandFiles { .none }

  mutating func run(on communicator: Communicator) throws {
    let request = request
    if scaling {
      let benchmark = try communicator.together { try ScalingBenchmark(request, rankCount: communicator.size) }
      if let result = try benchmark.run(communicator: communicator) { try report(result, result.text) }
    } else {
      let benchmark = try communicator.together { try Benchmark(request, rankCount: communicator.size) }
      let result = try benchmark.run(communicator: communicator)
      if communicator.rank == 0 { try report(result, result.text) }
    }
  }

  private func report(_ result: some Encodable, _ text: String) throws {
    if json { try printJSON(result) } else { StandardOutput.print(text) }
  }
}

/// Prints a result as one line of JSON.
func printJSON(_ result: some Encodable) throws { StandardOutput.print(try jsonLine(result)) }

extension Benchmark.Job: ExpressibleByArgument {}
extension ReductionMethod: ExpressibleByArgument {}
