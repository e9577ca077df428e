import DataParallel
import MicroKernels
import Network
import Ranks
import RealModule
import Reporting

extension Benchmark {
  /// The measurements. `jsonLine` writes them with the keys of `scripts/measure/pytorch-benchmark.py`, if both have them.
  package struct Result: Sendable, Encodable {
    package let job: String
    package let preset: String
    /// `key=value` pairs that differ from the preset.
    package let settings: [String]
    package let imageSize: Int
    package let parameters: Int
    package let ranks: Int
    package let threads: Int
    /// The minimum over all ranks, counting hardware threads separately.
    package let processorsPerRank: Int
    package let batch: Int
    package let microBatch: Int
    /// How gradients were added up; nil if there are none.
    package let reduction: String?
    /// The vector width in bits that the kernels were compiled for.
    package let vectorBits: Int
    /// See `ArithmeticCount`, in units of 10⁹.
    package let forwardGflopPerImage: Double
    /// From the start of the job in the program, when MPI is initialised, to the first step.
    package let setupSeconds: Double
    /// Seconds of each step, shortest first; nil if there was none.
    package let secondsPerStep: [Double]?
    package let imagesPerSecondMedian: Double?
    package let imagesPerSecondBest: Double?
    /// The median divided by ranks times threads.
    package let imagesPerSecondPerCore: Double?
    /// Peak resident memory of all ranks together, in units of 2³⁰ bytes.
    package let peakResidentGb: Double
    /// The estimate from the shape of the network before the start, in the same units.
    package let memoryEstimateGb: Double
    /// The profile of rank 0; nil if it was not requested, as for the next two.
    package let profile: [Profile.Row]?
    package let profileStep: Profile.Row?
    package let profileScale: Profile.Scale?

    init(
      _ benchmark: Benchmark, network: UNet, ranks: Int, setupSeconds: Double, secondsPerStep: [Double]?,
      peakResidentBytes: Int, placement: RankPlacement, profile: Profile?
    ) {
      let request = benchmark.request
      let sorted = secondsPerStep?.sorted()
      let median = sorted.map { Double(benchmark.batch) / $0[$0.count / 2] }
      job = request.job.rawValue
      preset = request.preset
      settings = request.settings
      imageSize = network.configuration.imageHeight
      parameters = network.layout.parameterCount
      self.ranks = ranks
      threads = request.threads
      processorsPerRank = placement.minimumProcessors
      batch = benchmark.batch
      microBatch = benchmark.microBatch
      reduction = request.job == .train ? request.reduction.rawValue : nil
      vectorBits = Processor.vectorBits
      forwardGflopPerImage = rounded(Double(ArithmeticCount.forwardPass(of: network)) * 1e-9, places: 3)
      self.setupSeconds = rounded(setupSeconds, places: 4)
      self.secondsPerStep = sorted.map { $0.map { rounded($0, places: 4) } }
      imagesPerSecondMedian = median.map { rounded($0, places: 3) }
      imagesPerSecondBest = sorted.map { rounded(Double(benchmark.batch) / $0[0], places: 3) }
      imagesPerSecondPerCore = median.map { rounded($0 / Double(ranks * request.threads), places: 3) }
      peakResidentGb = rounded(Double(peakResidentBytes) / Double(1 << 30), places: 3)
      memoryEstimateGb = rounded(
        benchmark.memoryNeed(rankCount: ranks).bytes * Double(ranks) / Double(1 << 30), places: 3)
      self.profile = profile?.rows
      profileStep = profile?.step
      profileScale = profile?.scale
    }

    /// The result for users: three lines, and the profile.
    package var text: String {
      let pieces = job == "sample" ? "" : " in micro-batches of \(microBatch)"
      let sum = reduction == ReductionMethod.allreduce.rawValue ? ", gradients by MPI_Allreduce" : ""
      return """
        \(BenchmarkText.subject(job, preset, settings, imageSize: imageSize, parameters: parameters)), \
        \(ProgressFormat.count(ranks, of: "rank")) x \(ProgressFormat.count(threads, of: "thread")), batch \(batch)\(pieces)
        \(speedText), \(peakResidentGb) GiB resident at the peak over all ranks
        \(BenchmarkText.build), \(processorsText)\(sum)\(profileText)
        """
    }

    private var processorsText: String {
      let processors = "\(ProgressFormat.count(processorsPerRank, of: "processor")) per rank"
      return processorsPerRank < threads ? "only \(processors): see ddpm-mpi doctor --threads \(threads)" : processors
    }

    private var profileText: String {
      guard let profile, let profileStep, let profileScale else { return "" }
      let whole = Profile(rows: profile, step: profileStep, scale: profileScale)
      return "\n\n" + whole.text(ranks: ranks, threads: threads)
    }

    private var speedText: String {
      guard let secondsPerStep, let imagesPerSecondMedian, let imagesPerSecondBest, let imagesPerSecondPerCore else {
        return "\(setupSeconds) s inside the program up to the first step"
      }
      return "\(imagesPerSecondMedian) images/s (median of \(secondsPerStep.count)), \(imagesPerSecondBest) (best), "
        + "\(imagesPerSecondPerCore) per core"
    }
  }
}

/// Texts shared by the benchmarks' reports.
enum BenchmarkText {
  /// The job, its network and its data: `train cifar10: 35,746,307 parameters`.
  static func subject(
    _ job: String, _ preset: String, _ settings: [String], imageSize: Int, parameters: Int
  ) -> String {
    let changes = settings.isEmpty ? "" : " with \(settings.joined(separator: ", "))"
    return "\(job) \(preset)\(changes): \(ProgressFormat.count(parameters)) parameters, "
      + "images of \(imageSize)x\(imageSize)"
  }

  /// The vector width of the kernels and the implementation of products, of floats and of bfloat16 numbers.
  static var build: String {
    "vectors of \(Processor.vectorBits) bits, products by \(MicroKernel.best.name) (in bfloat16 by "
      + "\(RoundedKernel.best.name))"
  }
}

/// Rounds to the given number of decimal places.
func rounded(_ value: Double, places: Int) -> Double {
  let scale = Double.pow(10, Double(places))
  return (value * scale).rounded() / scale
}
