import Datasets
import Evaluation
import Failures
import FeatureNetworks
import Files
import Interchange
import MessagePassing
import Ranks
import Reporting
import Tensors
import TextFormatting

/// The Fréchet distance between two sets of images or their statistics; the work is shared among all ranks.
package struct FrechetJob: Sendable {
  /// Two folders of images, HDF5 files, or files of statistics.
  package var first: String
  package var second: String
  /// The name or path for `FeatureNetworks.load`.
  package var features = EmbeddedClassifier.name
  package var inceptionWeights: String?
  /// How image files are read and converted to one kind.
  package var fitting = FolderImages.Fitting()
  /// The file for the first side's statistics; nil for none.
  package var statisticsFile: String?
  package var threads = 1
  package var printsJSON = false

  package init(_ first: String, _ second: String) {
    self.first = first
    self.second = second
  }

  /// The printed result.
  struct Result: Encodable {
    var fid: Double
    var features: String
    /// nil if both sides are statistics and one does not state its features.
    var featureHash: String?
    var countA: Int?
    var countB: Int?

    /// The result for users.
    var text: String {
      func images(_ count: Int?) -> String {
        count.map { ProgressFormat.count($0, of: "image") } ?? "an unknown number"
      }
      let minimum = min(countA ?? .max, countB ?? .max)
      let remark = minimum < EvaluationResult.comparableCount ? "\n\(EvaluationResult.incomparableRemark)" : ""
      // Rounding may give a value slightly below zero.
      let rounded = (fid * 1e4).rounded() / 1e4 + 0
      return "FID[\(features)] \(String(printf: "%.4f", rounded))   "
        + "(\(images(countA)) against \(images(countB)))\(remark)"
    }
  }

  /// Computes and prints the distance. Collective.
  package func run(communicator: Communicator) throws {
    let reporter = RunReporter(isSpeaking: communicator.rank == 0 && !printsJSON)
    defer { reporter.finish() }
    let result = try compare(communicator: communicator, reporter: reporter)
    reporter.clear()
    guard communicator.rank == 0, let result else { return }
    StandardOutput.print(printsJSON ? try jsonLine(result) : result.text)
  }

  /// Collective.
  /// - Returns: the distance on rank 0, nil on other ranks.
  func compare(communicator: Communicator, reporter: RunReporter) throws -> Result? {
    let placement = try RankPlacement(of: communicator, threads: threads)
    if let misfit = placement.misfit { reporter.log.warning("\(misfit)") }
    let workers = WorkerPool(threadCount: threads, placement: placement, rank: communicator.rank)
    typealias Compared = (sides: [ImageSet], network: (any FeatureNetwork)?, features: KnownFeatures?)
    let (sides, network, known) = try communicator.together { () throws -> Compared in
      let sides = [try ImageSet(first, fitting: fitting), try ImageSet(second, fitting: fitting)]
      let datasets = sides.compactMap { side -> (any ImageDataset)? in
        if case .images(let dataset) = side { dataset } else { nil }
      }
      guard fitting == FolderImages.Fitting() || datasets.contains(where: { $0 is FolderImages }) else {
        throw InputError(
          "--background, --channels and --orientation apply to image files, but neither side is a folder of them; "
            + "remove them")
      }
      for (side, path) in zip(sides, [first, second]) {
        guard case .images(let dataset) = side, dataset.count < Measure.fid.minimumCount else { continue }
        throw InputError("\(path): a distance needs at least \(Measure.fid.minimumCount) images, but there is 1")
      }
      // Two files of statistics need no network.
      guard !datasets.isEmpty else { return (sides, nil, try knownFeatures(of: sides, network: nil)) }
      let network = try FeatureNetworks.load(features, inceptionWeights: inceptionWeights)
      for dataset in datasets { try network.check(shape: dataset.imageShape) }
      return (sides, network, try knownFeatures(of: sides, network: network))
    }
    if let network { try communicator.requireAlike("feature network", network.hash) }
    // Those of images are on rank 0 alone.
    let statistics = try sides.enumerated().map { number, side -> FeatureStatistics? in
      switch side {
      case .statistics(let file): return file.statistics
      case .images(let dataset):
        guard let network else { preconditionFailure("images need a network") }
        let extraction = FeatureExtraction(network: network, communicator: communicator, workers: workers)
        try communicator.requireAlike(
          "images of \([first, second][number])", "\(dataset.count), \(dataset.fingerprint)")
        let share = try extraction.extract(
          of: dataset, count: dataset.count, work: [first, second][number], reporter: reporter)
        return try FeatureStatistics(share: share.features, of: dataset.count, over: communicator, workers: workers)
      }
    }
    return try communicator.onRankZero {
      let statistics = statistics.compactMap(\.self)
      if let statisticsFile { try write(statistics[0], of: sides[0], network, to: statisticsFile) }
      return Result(
        fid: try FrechetDistance(statistics[0], statistics[1]).value, features: known?.name ?? "of the statistics",
        featureHash: known?.hash, countA: statistics[0].count, countB: statistics[1].count)
    }
  }

  private typealias KnownFeatures = (name: String, hash: String)

  /// The features that the distance is computed from.
  /// - Returns: nil if a file of statistics does not state them, and there is no network.
  /// - Throws: `InputError` if the sides have different features.
  private func knownFeatures(
    of sides: [ImageSet], network: (any FeatureNetwork)?
  ) throws(InputError) -> KnownFeatures? {
    var known = network.map { (name: $0.name, hash: $0.hash) }
    for (side, path) in zip(sides, [first, second]) {
      guard case .statistics(let file) = side else { continue }
      guard let provenance = StatisticsProvenance(of: file) else {
        if network == nil { return nil }
        continue
      }
      if let known { try provenance.check(path, against: known.name, known.hash) }
      known = (provenance.features, provenance.featureHash)
    }
    return known
  }

  /// Writes the statistics of the first side; those read from a file keep their provenance.
  private func write(
    _ statistics: FeatureStatistics, of side: ImageSet, _ network: (any FeatureNetwork)?, to path: String
  ) throws {
    let provenance: String? =
      switch side {
      case .statistics(let file): file.provenance
      case .images:
        try network.map {
          try jsonLine(StatisticsProvenance(images: first, features: $0.name, featureHash: $0.hash))
        }
      }
    let contents = try StatisticsFile(statistics, provenance: provenance).contents(path: path)
    try replaceFile(at: path, with: contents)
  }
}
