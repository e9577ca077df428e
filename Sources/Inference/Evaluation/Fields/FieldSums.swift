import FieldMeasures
import MessagePassing
import Tensors

/// The sums over fields from which the measures of their distribution follow. Fields are added batch by batch, and
/// memory does not grow with their number.
package struct FieldSums {
  private let channelCount: Int
  /// nil if neither spectra nor cross-spectra are measured.
  private var spectra: SpectrumSums?
  private var moments: MomentSums
  /// One for each channel; empty if they are not measured.
  private(set) var histograms: [Histogram]

  /// - Parameters:
  ///   - shape: [H, W, C].
  ///   - edges: those of the histogram of each channel; empty for no histograms.
  ///   - firstSample: the index of the first field that will be added, among those of all ranks.
  package init(_ measures: [FieldMeasure], shape: [Int], edges: [[Double]] = [], firstSample: Int) throws {
    let channels = shape[2]
    channelCount = channels
    let pairs =
      measures.contains(.crossSpectrum)
      ? (0..<channels).flatMap { first in (first + 1..<channels).map { ChannelPair(first, $0) } } : []
    spectra =
      measures.contains(.spectrum) || !pairs.isEmpty
      ? try SpectrumSums(shape: shape, pairs: pairs, firstSample: firstSample) : nil
    moments = MomentSums(shape: shape, firstSample: firstSample)
    histograms = try edges.map { try Histogram(edges: $0) }
  }

  /// - Parameters:
  ///   - fields: [N, H, W, C], the next ones.
  ///   - isPresent: for each element of `fields` whether it counts; nil if all do, as they must for spectra.
  /// - Throws: `FieldMeasureError` for numbers that are infinite or NaN.
  package mutating func add(
    _ fields: Tensor, isPresent: [Bool]? = nil, workers: WorkerPool
  ) throws(FieldMeasureError) {
    precondition(spectra == nil || isPresent == nil, "spectra are those of whole fields")
    try spectra?.add(fields, workers: workers)
    try moments.add(fields, isPresent: isPresent, workers: workers)
    try addToHistograms(fields, isPresent: isPresent, workers: workers)
  }

  mutating func addToHistograms(
    _ fields: Tensor, isPresent: [Bool]?, workers: WorkerPool
  ) throws(FieldMeasureError) {
    for channel in histograms.indices {
      try histograms[channel].add(fields, channel: channel, isPresent: isPresent, workers: workers)
    }
  }

  /// The sums of all ranks' fields, on every rank. Collective.
  package func gathered(over communicator: Communicator) throws -> FieldSums {
    var sums = self
    sums.spectra = try spectra?.gathered(over: communicator)
    sums.moments = try moments.gathered(over: communicator)
    sums.histograms = try histograms.map { try $0.gathered(over: communicator) }
    return sums
  }

  /// - Throws: `FieldMeasureError` if there are no fields, or all values of a channel are missing.
  package func distribution() throws -> FieldDistribution {
    var result = FieldDistribution(
      moments: try (0..<channelCount).map { try Moments(moments, channel: $0) }, histograms: histograms)
    if let spectra {
      result.spectra = try (0..<channelCount).map { try PowerSpectrum(spectra, channel: $0) }
      result.crossSpectra = try spectra.pairs.indices.map { try CrossSpectrum(spectra, pair: $0) }
    }
    return result
  }
}

/// The distribution of fields, as far as it is measured.
package struct FieldDistribution: Codable, Sendable, Equatable {
  /// Of each channel.
  package var moments: [Moments]
  /// Of each channel, with the same edges for all fields that are compared.
  package var histograms: [Histogram]
  /// Of each channel; empty if neither spectra nor cross-spectra are measured.
  package var spectra: [PowerSpectrum] = []
  /// Of pairs of channels.
  package var crossSpectra: [CrossSpectrum] = []

  /// The bins of a histogram.
  private static let binCount = 64

  /// Edges for a histogram of each channel: the range of its values, and an eighth of it on both sides, since other
  /// fields may have values beyond it.
  package var histogramEdges: [[Double]] {
    moments.map { moments in
      let margin = (moments.maximum - moments.minimum) / 8
      return Histogram.equalEdges(
        over: moments.minimum - margin...moments.maximum + margin, bins: Self.binCount)
    }
  }
}
