import ArgumentParser
import Datasets
import FeatureNetworks
import Files
import Inference
import MessagePassing

struct Evaluate: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sample from a checkpoint and compute metrics of the samples.",
    usage: """
      ddpm-mpi evaluate --checkpoint <folder-or-file> --count <n> [--json]
                        [--measures <name,name,...>] [--members <n>]
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
      Images are compared with those of the data set by the features of a network: Inception-v3, as in papers, or by \
      default a small classifier of Fashion-MNIST that is part of the program. Figures on different features are not \
      comparable, so each is labelled with its network.

      Fields are compared in physical units. A model with conditions draws an ensemble of --members fields for the \
      conditions of each of --count test fields, which are the truths that ensembles are compared with.

      The sampling options are those of `ddpm-mpi sample`. Results do not depend on the number of ranks.

      MEASURES OF IMAGES
      \(helpList(Measure.allCases.map { ($0.rawValue, $0.summary) }))

      MEASURES OF FIELDS
      \(helpList(FieldMeasure.allCases.map { ($0.rawValue, $0.summary) }))

      EXAMPLES
        mpirun -n 8 ddpm-mpi evaluate --checkpoint runs/quickstart --count 10000
        ddpm-mpi evaluate --checkpoint runs/cifar10 --count 50000 --measures fid,is
        ddpm-mpi evaluate --checkpoint runs/fields --count 1000
      """)

  @OptionGroup var model: ModelOptions

  @Option(number: "Number of images or fields to sample; papers use 50000 images. With conditions, their number.")
  var count: Int

  @Flag(help: "Print one line of JSON.")
  var json = false

  @Option(
    help: ArgumentHelp(
      "Measures to compute, of those above, separated by commas (default: all that fit the model; with --reference: "
        + "\(Measure.usual.map(\.rawValue).joined(separator: ","))).",
      valueName: "names"))
  var measures: CommaSeparated<MeasureName>?

  @Option(number: "Fields to sample for each condition (default: the run's evaluation.members).")
  var members: Int?

  @OptionGroup var features: FeatureOptions

  @Option(help: "Split of the model's data set to compare with (default: training; test for a model with conditions).")
  var split: DatasetSplit?

  @OptionGroup var data: DataFileOptions

  @Option(
    number:
      "Number of reference images or fields, the first of the split (default: all; --count for fields with conditions)."
  )
  var referenceCount: Int?

  @Option(help: ArgumentHelp("Compare with a file of statistics, `mu` and `sigma`, instead.", valueName: "file.npz"))
  var reference: String?

  @Option(
    help: ArgumentHelp(
      "Folder that caches reference statistics, or none (default: ~/.cache/ddpm-mpi/references).",
      valueName: "folder"))
  var referenceCache: String?

  @OptionGroup var drawing: DrawingOptions

  func validate() throws {
    try require("--count", count, in: 2...OptionRange.images.upperBound)
    try require("--members", members, in: OptionRange.members)
    for measure in measures?.elements ?? [] where !MeasureNames.all.contains(measure.name) {
      throw ValidationError(
        "--measures: '\(measure.name)' is not a measure; the measures are \(MeasureNames.all.joined(separator: ", ")).")
    }
    if let referenceCount, referenceCount < 2 {
      throw ValidationError("--reference-count is \(referenceCount); it must be at least 2.")
    }
    let ofDataSet = [
      ("--reference-count", referenceCount != nil), ("--background", data.background != nil), ("--split", split != nil),
      ("--data-path", data.dataPath != nil), ("--reference-cache", referenceCache != nil),
    ]
    if reference != nil, let (name, _) = ofDataSet.first(where: { $0.1 }) {
      throw ValidationError("--reference and \(name) exclude each other: statistics take the place of the data set.")
    }
  }

  var files: CommandFiles { .none }

  mutating func run(on communicator: Communicator) throws {
    var job = EvaluateJob(model.request(drawing.keys), count: count)
    if let measures { job.measures = measures.elements.map(\.name) }
    job.members = members
    job.features = features.features
    job.inceptionWeights = features.inceptionWeights
    job.seed = drawing.seed
    job.classes = drawing.wantedClasses
    job.split = split
    job.dataPath = data.dataPath
    job.background = data.background
    job.referenceCount = referenceCount
    job.referenceFile = reference
    job.referenceCache = ReferenceCache(option: referenceCache)
    job.printsJSON = json
    try job.run(communicator: communicator)
  }
}

/// The name of a measure of images or of fields; the command checks it, to name all that there are.
struct MeasureName: ExpressibleByArgument {
  let name: String

  init?(argument: String) { name = argument }
}

/// The network that computes features.
struct FeatureOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Feature network: inception, fashion-mnist-classifier, or a file written by `ddpm-mpi export`.",
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
