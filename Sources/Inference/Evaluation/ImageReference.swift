import Datasets
import Evaluation
import FeatureNetworks
import Interchange
import MessagePassing
import Reporting
import Tensors
import TextFormatting

/// The reference that drawn images are compared with.
package struct ImageReference: Sendable {
  /// The data set, or the file of statistics.
  package let name: String
  /// nil for a file of statistics.
  package let split: DatasetSplit?
  package let count: Int?
  /// The fingerprint of the data set, 16 hexadecimal digits; nil for a file of statistics.
  package let fingerprint: String?
  /// The data that measures need; on rank 0, which computes them. nil if they need none.
  let contents: ReferenceCache.Contents?

  /// The first `count` images of a data set, as far as `measures` need them. Collective.
  ///
  /// - Parameters:
  ///   - cache: the cache for computed data; rank 0's is used.
  /// - Throws: `JobFailure` on all ranks if an image cannot be read on any, or there are too few images.
  package init(
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
    let computed = statistics.map { ReferenceCache.Contents(statistics: $0, features: features) }
    if let computed { kept?.keep(computed, reporter) }
    contents = computed
  }

  /// Statistics that were published or computed earlier.
  package init(_ file: StatisticsFile, path: String) {
    contents = ReferenceCache.Contents(statistics: file.statistics)
    (name, split, count, fingerprint) = (path, nil, file.statistics.count, nil)
  }

  /// Identifies a data set's contents in results and in the cache.
  package static func fingerprint(of dataset: any ImageDataset) -> String {
    String(printf: "%016llx", dataset.contentMark)
  }
}

/// The cache's entry for a reference; messages tell the user when it is used.
private struct KeptReference {
  let cache: ReferenceCache
  let key: ReferenceCache.Key

  /// - Returns: nil if the program cannot identify its own build.
  init?(
    _ cache: ReferenceCache, _ dataset: any ImageDataset, _ split: DatasetSplit, _ count: Int,
    _ extraction: FeatureExtraction
  ) {
    guard let program = ReferenceCache.program else { return nil }
    self.cache = cache
    key = ReferenceCache.Key(
      images: dataset.name, fingerprint: ImageReference.fingerprint(of: dataset), split: split.rawValue,
      count: count, imageShape: dataset.imageShape, features: extraction.network.name,
      featureHash: extraction.network.hash, featureCount: extraction.network.featureCount, program: program)
  }

  private var images: String { "\(ProgressFormat.count(key.count)) \(key.split) images of \(key.images)" }

  func find(withFeatures: Bool, _ reporter: RunReporter) -> ReferenceCache.Contents? {
    do throws(InterchangeError) {
      let contents = try cache.find(key, withFeatures: withFeatures)
      if contents != nil {
        reporter.message("The statistics of the reference, \(images), are taken from the cache in \(cache.folder).")
      }
      return contents
    } catch {
      reporter.log.warning("\(error.path): \(error.problem); the statistics are computed again")
      return nil
    }
  }

  func keep(_ contents: ReferenceCache.Contents, _ reporter: RunReporter) {
    do {
      let path = try cache.keep(contents, key)
      reporter.message("The statistics of the reference, \(images), are cached in \(path).")
    } catch {
      reporter.log.warning("the statistics of the reference could not be cached: \(error)")
    }
  }
}

extension FeatureExtraction {
  /// Features of this rank's share of a data set's first `count` images. Collective.
  /// - Parameter work: the name of the work in the progress line.
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
