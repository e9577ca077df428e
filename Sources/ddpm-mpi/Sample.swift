import ArgumentParser
import Configuration
import Diffusion
import Inference
import Jobs
import MessagePassing

struct Sample: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw images from a checkpoint.",
    usage: """
      ddpm-mpi sample --checkpoint <folder-or-file> --count <n>
                      --output <file.h5> [--grid <file.png>] [--seed <n>]
                      [--sampler <name>] [--steps <n>] [--eta <x>]
                      [--spacing leading|trailing|linspace]
                      [--corrections <n>] [--snr <x>] [--tolerance <x>]
                      [--churn <x>] [--churn-min <x>] [--churn-max <x>]
                      [--churn-noise <x>]
                      [--variance small|large|learned-range|learned]
                      [--class <k> | --classes <k,k,...>] [--guidance <g>]
                      [--classifier <folder-or-file>]
                      [--weights ema|model]
                      [--latents <file.h5>] [--float]
                      [--batch <n>] [--threads <n>]
      """,
    discussion: """
      Writes an HDF5 file with a dataset `images`, uint8 [N, H, W, C]. An image depends on the seed and its own number \
      alone: more ranks or another --batch draw the same ones. `ddpm-mpi samplers` describes the samplers.

      A model that was trained with classes draws all of them in turn, or those of --class or --classes; a dataset \
      `labels` tells which. --guidance leads more strongly to them the larger it is: 0 draws from the distribution of \
      the class as it is.
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: ArgumentHelp("How many images.", valueName: "n"))
  var count: Int

  @Option(help: ArgumentHelp("Seed of latents and noise.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp(
      "The way from noise to images (default: ddpm, or in continuous time euler-maruyama or edm).", valueName: "name"))
  var sampler: SamplerName?

  @Option(help: ArgumentHelp("Fresh noise of ddim, from 0 to 1.", valueName: "x"))
  var eta: Double?

  @Option(help: "Which steps of the process are visited (default: linspace).")
  var spacing: StepSpacing?

  @Option(
    help: ArgumentHelp(
      "Langevin steps at each time, of predictor-corrector and langevin (default: 1).", valueName: "n"))
  var corrections: Int?

  @Option(help: ArgumentHelp("How strong their noise is beside their drift (default: 0.16).", valueName: "x"))
  var snr: Double?

  @Option(help: ArgumentHelp("Error that ode-rk45 may make in a step (default: 1e-5).", valueName: "x"))
  var tolerance: Double?

  @Option(help: ArgumentHelp("S_churn of edm: noise added and taken away on the way (default: 0).", valueName: "x"))
  var churn: Double?

  @Option(help: ArgumentHelp("S_tmin of edm: no noise is added at lower levels (default: 0).", valueName: "x"))
  var churnMin: Double?

  @Option(help: ArgumentHelp("S_tmax of edm: no noise is added at higher levels (default: no limit).", valueName: "x"))
  var churnMax: Double?

  @Option(help: ArgumentHelp("S_noise of edm: the deviation of what is added (default: 1).", valueName: "x"))
  var churnNoise: Double?

  @Option(help: "Variance of the reverse steps of ddpm (default: the run's diffusion.variance).")
  var variance: ReverseVariance?

  @Option(
    name: .customLong("class"),
    help: ArgumentHelp("Draw images of this class; none draws without one.", valueName: "k"))
  var classNumber: ClassNumber?

  @Option(help: ArgumentHelp("Draw images of these classes in turn.", valueName: "k,k,..."))
  var classes: ClassNumbers?

  @Option(
    help: ArgumentHelp(
      "How much more strongly than they would by themselves images are led to their class (default: 0).",
      valueName: "g"))
  var guidance: Double?

  @Option(help: ArgumentHelp("What `ddpm-mpi train-classifier` made, to guide with.", valueName: "folder-or-file"))
  var classifier: String?

  @Option(help: ArgumentHelp("Sampling steps (default: the run's sampling.steps).", valueName: "n"))
  var steps: Int?

  @Option(help: ArgumentHelp("Start from its dataset `latents`, float32 [N, H, W, C].", valueName: "file.h5"))
  var latents: String?

  @Option(help: ArgumentHelp("The file to write.", valueName: "file.h5"))
  var output: String

  @Option(help: ArgumentHelp("Write a sheet of the images too.", valueName: "file.png"))
  var grid: String?

  @Flag(help: "Write float32 datasets `samples`, the images in [-1, 1], and `latents` too.")
  var float = false

  func validate() throws {
    for (name, value) in [("--count", count), ("--steps", steps ?? 1)] where value < 1 {
      throw ValidationError("\(name) is \(value); it must be at least 1.")
    }
    if classNumber != nil && classes != nil { throw ValidationError("--class and --classes exclude each other.") }
    if let guidance, !guidance.isFinite { throw ValidationError("--guidance is \(guidance); it must be finite.") }
    if variance != nil && (sampler ?? .ddpm) != .ddpm { throw ValidationError("--variance is for --sampler ddpm.") }
    if eta != nil && sampler != .ddim { throw ValidationError("--eta is for --sampler ddim.") }
    let isLangevin = sampler == .predictorCorrector || sampler == .langevin
    if (corrections != nil || snr != nil) && !isLangevin {
      throw ValidationError("--corrections and --snr are for --sampler predictor-corrector and langevin.")
    }
    if tolerance != nil && sampler != .odeAdaptive { throw ValidationError("--tolerance is for --sampler ode-rk45.") }
    if (churn ?? churnMin ?? churnMax ?? churnNoise) != nil && sampler != .edm {
      throw ValidationError("--churn, --churn-min, --churn-max and --churn-noise are for --sampler edm.")
    }
    if steps != nil && sampler == .odeAdaptive {
      throw ValidationError("--steps is not for --sampler ode-rk45, which chooses its steps by the error.")
    }
  }

  mutating func run(on communicator: Communicator) throws {
    var job = SampleJob(model.request, count: count, output: output)
    job.seed = seed
    job.sampler = sampler
    job.eta = eta
    job.spacing = spacing
    job.corrections = corrections
    job.signalToNoise = snr
    job.tolerance = tolerance
    if let churn { job.churn.amount = churn }
    if let churnMin { job.churn.least = churnMin }
    if let churnMax { job.churn.most = churnMax }
    if let churnNoise { job.churn.inflation = churnNoise }
    job.variance = variance
    job.conditions.classes = classNumber.map { [$0.number] } ?? classes?.numbers
    job.conditions.guidance = guidance
    job.classifier = classifier
    job.steps = steps
    job.latents = latents
    job.grid = grid
    job.writesFloats = float
    try job.run(communicator: communicator)
  }
}

extension SamplerName: ExpressibleByArgument {}
extension StepSpacing: ExpressibleByArgument {}
extension ReverseVariance: ExpressibleByArgument {}

/// A class, or none.
struct ClassNumber: ExpressibleByArgument {
  let number: Int?

  init?(argument: String) {
    if argument == "none" {
      number = nil
    } else {
      guard let value = Int(argument), value >= 0 else { return nil }
      number = value
    }
  }
}

struct ClassNumbers: ExpressibleByArgument {
  let numbers: [Int?]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map {
      ClassNumber(argument: String($0))
    }
    guard !parts.contains(where: { $0 == nil }) else { return nil }
    numbers = parts.map { $0!.number }
  }
}
