import MessagePassing
import Spectra
import Tensors

/// Two channels, by their indices.
package struct ChannelPair: Codable, Sendable, Hashable {
  package let first: Int
  package let second: Int

  package init(_ first: Int, _ second: Int) {
    self.first = first
    self.second = second
  }
}

/// The sums over samples from which power spectra and cross-spectra follow: for each shell, the squares of every
/// channel's coefficients and the products of some pairs' coefficients, in double precision.
///
/// Samples are added batch by batch, and combined along a `SampleTree`.
package struct SpectrumSums: Sendable {
  /// [H, W, C].
  package let shape: [Int]
  package let shells: Shells
  /// The pairs whose products are summed.
  package let pairs: [ChannelPair]
  private let transform: HartleyTransform
  /// A row has the sums of each channel, then those of each pair, [C + pairs, shells].
  private var tree: SampleTree

  /// - Parameters:
  ///   - shape: [H, W, C] of the fields.
  ///   - pairs: the pairs of channels to have cross-spectra of.
  ///   - includingCorners: whether shells beyond min(H, W)/2 are measured too; see `Shells`.
  ///   - firstSample: the index of the first sample that will be added, among those of all ranks.
  /// - Throws: `FieldMeasureError` for a pair of channels that the fields do not have.
  package init(
    shape: [Int], pairs: [ChannelPair] = [], includingCorners: Bool = false, firstSample: Int = 0
  ) throws(FieldMeasureError) {
    precondition(shape.count == 3 && shape.allSatisfy { $0 >= 1 }, "fields are [H, W, C], not \(shape)")
    for pair in pairs {
      for channel in [pair.first, pair.second] where !(0..<shape[2]).contains(channel) {
        throw .noSuchChannel(channel, channels: shape[2])
      }
    }
    self.shape = shape
    self.pairs = pairs
    shells = Shells(height: shape[0], width: shape[1], includingCorners: includingCorners)
    transform = HartleyTransform(height: shape[0], width: shape[1])
    tree = SampleTree(width: (shape[2] + pairs.count) * shells.count, firstSample: firstSample)
  }

  /// The number of samples so far.
  package var count: Int { tree.count }

  /// Adds the next samples.
  ///
  /// - Parameter fields: [N, H, W, C].
  /// - Throws: `FieldMeasureError` for another shape, and for numbers that are infinite or NaN; nothing is added then.
  package mutating func add(_ fields: Tensor, workers: WorkerPool) throws(FieldMeasureError) {
    try fields.check(shape: [nil] + shape, name: "fields")
    let rows = workers.map(fields.shape[0]) { sample in
      let planes = TypedTensor<Double>(planesOf: fields[image: sample])
      transform.transform(planes)
      let squares = (0..<shape[2]).flatMap { shells.sums(of: planes[image: $0], planes[image: $0]) }
      return squares + pairs.flatMap { shells.sums(of: planes[image: $0.first], planes[image: $0.second]) }
    }
    for row in rows { tree.add(row) }
  }

  /// The sums of all ranks' samples, on every rank. Collective; see `SampleTree.gathered(over:)`.
  package func gathered(over communicator: Communicator) throws(MPIError) -> SpectrumSums {
    var sums = self
    sums.tree = try tree.gathered(over: communicator)
    return sums
  }

  /// The means over samples and modes, for each shell.
  ///
  /// - Parameter part: a channel, or C + the index of a pair.
  /// - Throws: `FieldMeasureError` if there are no samples.
  func means(_ part: Int, measure: String) throws(FieldMeasureError) -> [Double] {
    guard let total = tree.total else { throw .tooFew(things: "samples", found: 0, minimum: 1, measure: measure) }
    return (0..<shells.count).map { shell in
      total[part * shells.count + shell] / (Double(count) * Double(shells.modeCounts[shell]))
    }
  }
}
