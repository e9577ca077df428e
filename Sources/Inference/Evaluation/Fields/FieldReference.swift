import FieldMeasures
import Reporting
import Tensors

/// The fields that drawn ones are compared with: the first ones of a split, as far as measures need them.
package struct FieldReference: Sendable {
  let count: Int
  package let distribution: FieldDistribution
}

extension FieldEvaluation {
  /// Reads the reference fields; twice for histograms, whose edges follow from the range of all of them. Collective.
  /// - Throws: `JobFailure` on all ranks if a field cannot be read, or has values that are not finite.
  package func reference(reporter: RunReporter) throws -> FieldReference {
    let first = communicator.share(of: referenceCount).lowerBound
    var sums = try communicator.together { try FieldSums(measures, shape: truths.shape, firstSample: first) }
    try readReference(reporter) { try sums.add($0, isPresent: $1, workers: workers) }
    var distribution = try sums.gathered(over: communicator).distribution()
    if measures.contains(.histogram) {
      var histograms = try communicator.together {
        try FieldSums([], shape: truths.shape, edges: distribution.histogramEdges, firstSample: first)
      }
      try readReference(reporter) { try histograms.addToHistograms($0, isPresent: $1, workers: workers) }
      distribution.histograms = try histograms.gathered(over: communicator).histograms
    }
    return FieldReference(count: referenceCount, distribution: distribution)
  }

  /// Calls `body` with this rank's share of the reference fields, batch by batch. Collective.
  private func readReference(
    _ reporter: RunReporter, _ body: (_ fields: Tensor, _ isPresent: [Bool]?) throws -> Void
  ) throws {
    try communicator.together {
      let shareCount = max(1, communicator.share(of: referenceCount).count)
      var done = 0
      for batch in communicator.batches(of: referenceCount, size: Self.readBatchSize) {
        let truths = try self.truths.fields(batch, workers: workers)
        try body(truths.fields, truths.isPresent)
        done += batch.count
        let progress = ImageProgress(
          "reference", done: done * referenceCount / shareCount, count: referenceCount, imagesPerSecond: 0)
        reporter.show(progress, isMilestone: false)
      }
    }
  }

  /// The number of reference fields that are in memory together.
  private static let readBatchSize = 32
}
