import FieldMeasures
import Inference
import MessagePassing
import Tensors

private let shape = [6, 8, 2]

/// The same numbers on all ranks; rounded, so that truths equal members.
private func normals(_ counts: [Int], seed: UInt64) -> Tensor {
  let numbers = Tensor(uninitialised: counts + shape)
  RandomStream(seed: seed, purpose: .noise).fillNormal(numbers)
  for index in 0..<numbers.count { numbers[index] = (8 * numbers[index]).rounded() / 8 }
  return numbers
}

/// Marks of values that are present in samples; nil if all are.
private func marks(_ samples: Range<Int>, missing: Bool) -> [Bool]? {
  let size = shape.reduce(1, *)
  return missing ? (samples.lowerBound * size..<samples.upperBound * size).map { $0 % 7 > 1 } : nil
}

let fieldMeasureChecks: [Check] = [
  Check("spectra, moments and histograms of fields have the same bits as on one rank") { context in
    // With one field, most ranks have none.
    for (count, missing) in [(1, false), (1, true), (16, false), (37, false), (37, true)] {
      let fields = normals([count], seed: 1)
      func measure(
        _ samples: Range<Int>, over communicator: Communicator?
      ) throws -> (PowerSpectrum, CrossSpectrum, Moments, Histogram) {
        var spectra = try SpectrumSums(
          shape: shape, pairs: [ChannelPair(0, 1)], firstSample: samples.lowerBound)
        var moments = MomentSums(shape: shape, firstSample: samples.lowerBound)
        var histogram = try Histogram(edges: [-2, -0.5, 0, 1])
        for start in stride(from: samples.lowerBound, to: samples.upperBound, by: 5) {
          let numbers = start..<min(start + 5, samples.upperBound)
          let (batch, isPresent) = (fields[numbers], marks(numbers, missing: missing))
          try spectra.add(batch, workers: .callingThread)
          try moments.add(batch, isPresent: isPresent, workers: .callingThread)
          try histogram.add(batch, channel: 1, isPresent: isPresent, workers: .callingThread)
        }
        if let communicator {
          spectra = try spectra.gathered(over: communicator)
          moments = try moments.gathered(over: communicator)
          histogram = try histogram.gathered(over: communicator)
        }
        return (
          try PowerSpectrum(spectra, channel: 1), try CrossSpectrum(spectra, pair: 0),
          try Moments(moments, channel: 1), histogram
        )
      }
      let together = try measure(context.communicator.share(of: count), over: context.communicator)
      let alone = try measure(0..<count, over: nil)
      try expect(together == alone, "\(count) fields: other measures")
    }
  },

  Check("scores of ensembles have the same bits as on one rank") { context in
    for (count, missing) in [(1, false), (11, false), (11, true), (32, false)] {
      let (ensembles, truths) = (normals([count, 3], seed: 2), normals([count], seed: 3))
      func measure(
        _ cases: Range<Int>, over communicator: Communicator?
      ) throws -> (CRPS, SpreadSkill, RankHistogram) {
        var sums = EnsembleSums(memberCount: 3, shape: shape, seed: 4, firstCase: cases.lowerBound)
        try sums.add(
          ensembles[cases], truths: truths[cases], isPresent: marks(cases, missing: missing), workers: .callingThread)
        if let communicator { sums = try sums.gathered(over: communicator) }
        return (
          try CRPS(sums, channel: 1), try SpreadSkill(sums, channel: 1), try RankHistogram(sums, channel: 1)
        )
      }
      let together = try measure(context.communicator.share(of: count), over: context.communicator)
      let alone = try measure(0..<count, over: nil)
      try expect(together == alone, "\(count) cases: other scores")
    }
  },

  Check("ensembles that batches divide have the same scores as on one rank") { context in
    for (count, members) in [(1, 3), (11, 3), (5, 1)] {
      let (fields, truths) = (normals([count * members], seed: 5), normals([count], seed: 6))
      func score(_ batches: [Range<Int>], firstCase: Int, over communicator: Communicator?) throws -> CRPS {
        var collection = EnsembleCollection(memberCount: members, shape: shape, seed: 7, firstCase: firstCase)
        for batch in batches {
          try collection.add(fields[batch], workers: .callingThread) { (truths[$0..<$0 + 1], nil) }
        }
        let sums = collection.sums
        return try CRPS(communicator.map { try sums.gathered(over: $0) } ?? sums, channel: 1)
      }
      let communicator = context.communicator
      let batches = communicator.batches(of: count * members, size: 4, group: members)
      let together = try score(batches, firstCase: communicator.share(of: count).lowerBound, over: communicator)
      try expect(together == score([0..<count * members], firstCase: 0, over: nil), "\(count) cases: another score")
    }
  },
]
