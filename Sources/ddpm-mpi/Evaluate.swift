import ArgumentParser
import Datasets
import FeatureNetworks
import Files
import Inference
import MessagePassing

struct Evaluate: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw images from a checkpoint and measure how good they are.",
    usage: """
      ddpm-mpi evaluate --checkpoint <folder-or-file> --count <n> [--json]
                        [--measures fid,is,kid,pr]
                        [--features inception|<name>|<file>]
                        [--split training|test] [--data-path <folder>]
                        [--background black|white]
                        [--reference-count <n> | --reference <file.npz>]
                        [--reference-cache <folder>|none]
                        [--seed <n>] [--sampler <name>] [--steps <n>] [...]
                        [--weights ema|model|<decay>]
                        [--batch <n>] [--threads <n>]
      """,
    discussion: """
      Prints the Frechet distance (fid), the Inception score (is), the kernel distance (kid), and precision and recall \
      (pr) of the drawn images, on the features of a network: Inception-v3, as in papers, or by default a small \
      classifier of Fashion-MNIST that is part of the program. Figures on different features cannot be compared, so each \
      is labelled with its own. The options of `ddpm-mpi sample` choose how images are drawn. Results do not depend on \
      the number of ranks.

      EXAMPLES
        mpirun -n 8 ddpm-mpi evaluate --checkpoint runs/quickstart --count 10000
        ddpm-mpi evaluate --checkpoint runs/cifar10 --count 50000 --measures fid,is
      """)

  @OptionGroup var model: ModelOptions

  @Option(parsing: .unconditional, help: ArgumentHelp("How many images to draw; papers take 50000.", valueName: "n"))
  var count: Int

  @Flag(help: "Print one line of JSON.")
  var json = false

  @Option(help: ArgumentHelp("What to measure (default: fid,is,kid,pr).", valueName: "names"))
  var measures: Measures?

  @OptionGroup var features: FeatureOptions

  @Option(help: "Which images of the model's data set to compare with (default: training).")
  var split: DatasetSplit?

  @Option(help: ArgumentHelp("Where the data set is (default: where it was in training).", valueName: "folder"))
  var dataPath: String?

  @Option(help: "What is behind transparent pixels of image files (default: as in training).")
  var background: FolderImages.Background?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("How many of them, the first ones (default: all).", valueName: "n"))
  var referenceCount: Int?

  @Option(help: ArgumentHelp("Compare with statistics instead, `mu` and `sigma`.", valueName: "file.npz"))
  var reference: String?

  @Option(
    help: ArgumentHelp(
      "Where statistics of reference images are kept, or none (default: ~/.cache/ddpm-mpi/references).",
      valueName: "folder"))
  var referenceCache: String?

  @OptionGroup var drawing: DrawingOptions

  func validate() throws {
    try require("--count", count, in: 2...OptionRange.images.upperBound)
    if let referenceCount, referenceCount < 2 {
      throw ValidationError("--reference-count is \(referenceCount); it must be at least 2.")
    }
    let ofDataSet = [
      ("--reference-count", referenceCount != nil), ("--background", background != nil), ("--split", split != nil),
      ("--data-path", dataPath != nil), ("--reference-cache", referenceCache != nil),
    ]
    if reference != nil, let (name, _) = ofDataSet.first(where: { $0.1 }) {
      throw ValidationError("--reference and \(name) exclude each other: statistics are all that is compared with.")
    }
    try model.validate()
  }

  var files: CommandFiles { .none }

  mutating func run(on communicator: Communicator) throws {
    var job = EvaluateJob(model.request(drawing.keys), count: count)
    if let measures {
      job.measures = measures.list
    } else if reference != nil {
      job.measures = [.fid, .inceptionScore]
    }
    job.features = features.features
    job.inceptionWeights = features.inceptionWeights
    job.seed = drawing.seed
    job.classes = drawing.wantedClasses
    job.split = split ?? .training
    job.dataPath = dataPath
    job.background = background
    job.referenceCount = referenceCount
    job.referenceFile = reference
    job.referenceCache = ReferenceCache(option: referenceCache)
    job.printsJSON = json
    try job.run(communicator: communicator)
  }
}

/// Which network makes features.
struct FeatureOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Network whose features are compared: inception, or fashion-mnist-classifier, or a file by `ddpm-mpi export`.",
      valueName: "name-or-file"))
  var features = EmbeddedClassifier.name

  @Option(help: ArgumentHelp("Inception's weights (default: see docs/evaluation.md).", valueName: "file"))
  var inceptionWeights: String?

  func validate() throws {
    if inceptionWeights != nil && features != FeatureNetworks.inceptionName {
      throw ValidationError(
        "--inception-weights is for --features \(FeatureNetworks.inceptionName), and --features is \(features).")
    }
  }

  var files: [NamedFile] { NamedFile.list(("--features", features), ("--inception-weights", inceptionWeights)) }
}

/// Names of measures, with commas between them.
struct Measures: ExpressibleByArgument {
  let list: [Measure]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Measure(rawValue: String($0)) }
    guard !parts.contains(nil) else { return nil }
    list = parts.compactMap(\.self)
  }
}
