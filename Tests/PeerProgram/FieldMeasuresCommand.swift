import ArgumentParser
import FieldMeasures
import Interchange
import ReferenceKernels
import Tensors

struct FieldMeasuresCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "field-measures", abstract: "All measures of fields beside others, and of ensembles beside truths.")

  @Argument(help: "A safetensors file: fields and others [N, H, W, C], ensembles [cases, M, H, W, C], truths.")
  var source: String
  @Option(help: "The number of a histogram's bins.") var bins = 50
  @Option(help: "The number of samples or cases that are added at a time.") var batch = 3
  @Option var threads = 1

  private struct Distribution: Encodable {
    let power: PowerSpectrum
    /// With the next channel; of the last one with the first.
    let cross: CrossSpectrum
    let moments: Moments
    let histogram: Histogram
  }

  private struct Channel: Encodable {
    let fields: Distribution
    let others: Distribution
    let relativeErrors: [Double?]
    let histogramDistance: Double
    let distance: Double
    let crps: CRPS
    let spread: SpreadSkill
    let ranks: RankHistogram
  }

  func run() throws {
    let file = try Safetensors(readingFrom: source)
    func tensor(_ name: String) throws -> Tensor { Tensor(try file.floats(name), shape: file[name]?.shape ?? []) }
    let (fields, others) = (try tensor("fields"), try tensor("others"))
    let (ensembles, truths) = (try tensor("ensembles"), try tensor("truths"))
    let workers = WorkerPool(threadCount: threads)
    try printJSON(
      try Answer {
        var sums = EnsembleSums(memberCount: ensembles.shape[1], shape: Array(truths.shape.dropFirst()), seed: 1)
        for cases in batches(truths.shape[0]) {
          try sums.add(ensembles[cases], truths: truths[cases], workers: workers)
        }
        return try (0..<fields.shape[3]).map { channel in
          let edges = try edges([fields, others], channel, workers)
          let first = try distribution(fields, channel, edges, workers)
          let second = try distribution(others, channel, edges, workers)
          return Channel(
            fields: first, others: second, relativeErrors: try first.power.relativeErrors(to: second.power),
            histogramDistance: try first.histogram.wassersteinDistance(to: second.histogram),
            distance: Reference.wassersteinDistance(values(fields, channel), values(others, channel)),
            crps: try CRPS(sums, channel: channel), spread: try SpreadSkill(sums, channel: channel),
            ranks: try RankHistogram(sums, channel: channel))
        }
      })
  }

  private func distribution(
    _ fields: Tensor, _ channel: Int, _ edges: [Double], _ workers: WorkerPool
  ) throws -> Distribution {
    let shape = Array(fields.shape.dropFirst())
    var spectra = try SpectrumSums(shape: shape, pairs: [ChannelPair(channel, (channel + 1) % shape[2])])
    var histogram = try Histogram(edges: edges)
    for samples in batches(fields.shape[0]) {
      try spectra.add(fields[samples], workers: workers)
      try histogram.add(fields[samples], channel: channel, workers: workers)
    }
    return Distribution(
      power: try PowerSpectrum(spectra, channel: channel), cross: try CrossSpectrum(spectra, pair: 0),
      moments: try moments(fields, channel, workers), histogram: histogram)
  }

  private func moments(_ fields: Tensor, _ channel: Int, _ workers: WorkerPool) throws -> Moments {
    var sums = MomentSums(shape: Array(fields.shape.dropFirst()))
    for samples in batches(fields.shape[0]) { try sums.add(fields[samples], workers: workers) }
    return try Moments(sums, channel: channel)
  }

  /// Edges over the range of all fields.
  private func edges(_ sets: [Tensor], _ channel: Int, _ workers: WorkerPool) throws -> [Double] {
    let all = try sets.map { try moments($0, channel, workers) }
    let (minimum, maximum) = (all.map(\.minimum).min() ?? 0, all.map(\.maximum).max() ?? 0)
    return Histogram.equalEdges(over: minimum...maximum, bins: bins)
  }

  private func values(_ fields: Tensor, _ channel: Int) -> [Float] {
    stride(from: channel, to: fields.count, by: fields.shape[3]).map { fields[$0] }
  }

  private func batches(_ count: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: batch).map { $0..<min($0 + batch, count) }
  }
}
