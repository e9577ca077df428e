import ArgumentParser
import Datasets
import Diffusion
import Files
import Inference
import MessagePassing

struct Likelihood: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compute the likelihood of images under a model.",
    usage: """
      ddpm-mpi likelihood --checkpoint <folder-or-file> --method bound|ode
                          --count <n> [--json] [--split test|training]
                          [--data-path <folder>] [--background black|white]
                          [--class <k>] [--seed <n>]
                          [--probe rademacher|gaussian] [--tolerance <x>]
                          [--weights ema|model|<decay>]
                          [--batch <n>] [--threads <n>]
      """,
    discussion: """
      Prints bits per dimension, with the standard error of the mean over images. bound is the variational bound of a \
      discrete process, with one sample of x_t for each of its steps. ode solves the probability-flow equation for \
      images made continuous by uniform noise, with the trace estimated by one random probe. Results do not depend on \
      the number of ranks.
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: "The variational bound, or the density under the probability-flow equation.")
  var method: LikelihoodJob.Method

  @Option(number: "Number of images, the first of the split.")
  var count: Int

  @Flag(help: "Print one line of JSON.")
  var json = false

  @OptionGroup var data: DataOptions

  @Option(
    name: .customLong("class"), number: "Class to condition the model on, or none (default: each image's own).",
    valueName: "k")
  var classNumber: ClassNumber?

  @Option(number: "Seed of the noise.")
  var seed: UInt64 = 0

  @Option(help: "Random probe that estimates the trace for ode (default: rademacher).")
  var probe: FlowLikelihood.Probe?

  @Option(
    number: "Error tolerance of ode's solver per step (default: \(ProbabilityFlowSampler.defaultTolerance)).",
    valueName: "x")
  var tolerance: Double?

  func validate() throws {
    try require("--count", count, in: OptionRange.images)
    if method == .bound && (probe != nil || tolerance != nil) {
      throw ValidationError("--probe and --tolerance are for --method ode.")
    }
  }

  var files: CommandFiles { .none }

  mutating func run(on communicator: Communicator) throws {
    var job = LikelihoodJob(model.request(), method: method, data: data.choice(count: count))
    job.seed = seed
    if let probe { job.probe = probe }
    if let tolerance { job.tolerance = tolerance }
    if let classNumber { job.condition = .same(classNumber.number) }
    job.printsJSON = json
    try job.run(communicator: communicator)
  }
}

extension LikelihoodJob.Method: ExpressibleByArgument {}
extension FlowLikelihood.Probe: ExpressibleByArgument {}
extension DatasetSplit: ExpressibleByArgument {}
