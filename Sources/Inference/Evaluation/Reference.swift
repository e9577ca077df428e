import Datasets
import Evaluation
import FeatureNetworks
import Foundation
import MessagePassing
import Reporting
import Tensors

/// What drawn images are compared with.
public struct Reference: Sendable {
  /// The data set, or the file of statistics.
  public let name: String
  /// nil for a file of statistics.
  public let split: DatasetSplit?
  public let count: Int?
  /// Of the contents of the data set, 16 hexadecimal digits; nil for a file of statistics.
  public let fingerprint: String?
  /// What measures need; on rank 0, which computes them. nil if they need nothing.
  let contents: ReferenceCache.Contents?

  /// The first `count` images of a data set, as far as `measures` look at them. Collective.
  ///
  /// - Parameters:
  ///   - cache: where to look for what was computed before, and to keep it; rank 0's counts.
  /// - Throws: `JobFailure` on all ranks if an image cannot be read on one, or there are too few of them.
  public init(
    _ dataset: any ImageDataset, split: DatasetSplit, count: Int, measures: [Measure], cache: ReferenceCache?,
    extraction: FeatureExtraction, reporter: RunReporter
  ) throws {
    (name, self.split, self.count) = (dataset.name, split, count)
    fingerprint = Self.fingerprint(of: dataset)
    guard measures.contains(where: { $0.minimumReferenceCount > 0 }) else {
      contents = nil
      return
    }
    let communicator = extraction.communicator
    let withFeatures = measures.contains(where: \.needsReferenceFeatures)
    let kept = communicator.rank == 0 ? cache.flatMap { KeptReference($0, dataset, split, count, extraction) } : nil
    let found = kept?.find(withFeatures: withFeatures, reporter)
    guard try communicator.allReduceMaximum(found == nil ? 0 : 1) == 0 else {
      contents = found
      return
    }
    let share = try extraction.extract(of: dataset, count: count, work: "reference", reporter: reporter)
    let statistics = try FeatureStatistics(
      share: share.features, of: count, over: communicator, workers: extraction.workers)
    let features = withFeatures ? try Features(gathering: share.features, of: count, over: communicator) : nil
    let computed = ReferenceCache.Contents(statistics: statistics, features: features)
    kept?.keep(computed, reporter)
    contents = communicator.rank == 0 ? computed : nil
  }

  /// Statistics that somebody has published, or computed before.
  public init(_ file: StatisticsFile, path: String) {
    contents = ReferenceCache.Contents(statistics: file.statistics)
    (name, split, count, fingerprint) = (path, nil, file.statistics.count, nil)
  }

  /// What results and the cache know a data set's contents by.
  public static func fingerprint(of dataset: any ImageDataset) -> String {
    String(format: "%016llx", dataset.contentMark)
  }
}

/// The cache's entry for a reference, with a word to the user whenever it is used.
private struct KeptReference {
  let cache: ReferenceCache
  let key: ReferenceCache.Key

  /// - Returns: nil if the program cannot tell which build it is.
  init?(
    _ cache: ReferenceCache, _ dataset: any ImageDataset, _ split: DatasetSplit, _ count: Int,
    _ extraction: FeatureExtraction
  ) {
    guard let program = ReferenceCache.program else { return nil }
    self.cache = cache
    key = ReferenceCache.Key(
      images: dataset.name, fingerprint: Reference.fingerprint(of: dataset), split: split.rawValue,
      count: count, imageShape: dataset.imageShape, features: extraction.network.name,
      featureHash: extraction.network.hash, featureCount: extraction.network.featureCount, program: program)
  }

  private var images: String { "\(ProgressFormat.count(key.count)) \(key.split) images of \(key.images)" }

  func find(withFeatures: Bool, _ reporter: RunReporter) -> ReferenceCache.Contents? {
    switch cache.find(key, withFeatures: withFeatures) {
    case .found(let contents):
      reporter.message("The reference, \(images), was looked at before: its statistics are from \(cache.folder).")
      return contents
    case .nothing: return nil
    case .damaged(let problem):
      reporter.log.warning("\(problem); the reference is looked at again")
      return nil
    }
  }

  func keep(_ contents: ReferenceCache.Contents, _ reporter: RunReporter) {
    do {
      let path = try cache.keep(contents, key)
      reporter.message("The statistics of the reference, \(images), are kept as \(path).")
    } catch {
      reporter.log.warning("the statistics of the reference are not kept: \(error)")
    }
  }
}

extension FeatureExtraction {
  /// Features of this rank's share of a data set's first `count` images. Collective.
  /// - Parameter work: what the progress line calls it.
  func extract(
    of dataset: any ImageDataset, count: Int, work: String, reporter: RunReporter
  ) throws -> Share {
    let shareCount = max(1, communicator.share(of: count).count)
    let start = ContinuousClock.now
    return try extract(count: count, shape: dataset.imageShape) { done in
      let all = done * count / shareCount
      let rate = Double(all) / max(start.secondsUntilNow, 1e-9)
      reporter.show(
        ImageProgress(work, done: all, count: count, imagesPerSecond: rate), isMilestone: false)
    } read: { range, target in
      let damaged = try dataset.copyBytes(of: range, into: target, workers: workers)
      if let first = damaged.first { throw first.error }
    }
  }
}
