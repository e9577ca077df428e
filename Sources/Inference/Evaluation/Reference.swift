import Datasets
import Evaluation
import FeatureNetworks
import Foundation
import Jobs
import MessagePassing

/// What drawn images are compared with.
public struct Reference: Sendable {
  public let statistics: FeatureStatistics
  /// Of every image, where measures need more than the statistics.
  public let features: Features?
  /// The data set, or the file of statistics.
  public let name: String
  /// nil for a file of statistics.
  public let split: DatasetSplit?
  public let count: Int?

  /// The first `count` images of a data set. Collective.
  ///
  /// - Parameter keepsFeatures: whether to keep every image's features.
  /// - Throws: `JobFailure` on all ranks if an image cannot be read on one.
  public init(
    _ dataset: any ImageDataset, split: DatasetSplit, count: Int, keepsFeatures: Bool,
    extraction: FeatureExtraction, reporter: RunReporter
  ) throws {
    let communicator = extraction.communicator
    let share = try extraction.extract(of: dataset, count: count, work: "reference", reporter: reporter)
    statistics = try FeatureStatistics(
      share: share.features, of: count, over: communicator, workers: extraction.workers)
    features = keepsFeatures ? try Features(gathering: share.features, of: count, over: communicator) : nil
    name = dataset.name
    self.split = split
    self.count = count
  }

  /// Statistics that somebody has published, or computed before.
  public init(_ file: StatisticsFile, path: String) {
    statistics = file.statistics
    features = nil
    name = path
    split = nil
    count = file.statistics.count
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
