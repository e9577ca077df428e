import FieldMeasures
import ReferenceKernels
import Tensors
import Testing

struct SpectrumTests {
  /// Means of some thousand squares of order one, in double precision.
  static let tolerance = 1e-11

  private func sums(_ fields: Tensor, pairs: [ChannelPair] = [], includingCorners: Bool = false) throws -> SpectrumSums
  {
    var sums = try SpectrumSums(
      shape: Array(fields.shape.dropFirst()), pairs: pairs, includingCorners: includingCorners)
    try sums.add(fields, workers: .callingThread)
    return sums
  }

  @Test func whiteNoiseHasItsVarianceAtEveryWavenumber() throws {
    let noise = TestFields.normals([200, 12, 16, 2])
    let spectra = try sums(TestFields.mapped(noise) { $0 * Float($1 + 1) })
    for channel in 0..<2 {
      let spectrum = try PowerSpectrum(spectra, channel: channel)
      #expect(spectrum.sampleCount == 200 && spectrum.power.count == 7)
      let variance = Double((channel + 1) * (channel + 1))
      for (power, modes) in zip(spectrum.power, spectrum.modeCounts) {
        // A mean of squares of independent normal numbers.
        let standardError = variance * (2 / Double(modes * 200)).squareRoot()
        #expect(abs(power - variance) < 4 * standardError)
      }
    }
  }

  @Test func powerAddsUpToTheSumOfSquares() throws {
    let fields = TestFields.normals([6, 9, 14, 1])
    let spectrum = try PowerSpectrum(sums(fields, includingCorners: true), channel: 0)
    let power = zip(spectrum.power, spectrum.modeCounts).reduce(0) { $0 + $1.0 * Double($1.1) }
    let squares = fields.elements.reduce(0.0) { $0 + Double($1) * Double($1) } / 6
    #expect(abs(power / squares - 1) < Self.tolerance)
  }

  @Test func correlationOfChannelsIsFoundAtEveryWavenumber() throws {
    let noise = TestFields.normals([300, 10, 10, 3])
    // The second channel is minus twice the first, the third is 0.6 times the first and independent noise.
    let fields = noise.copied()
    for point in 0..<noise.count / 3 {
      fields[point * 3 + 1] = -2 * noise[point * 3]
      fields[point * 3 + 2] = 0.6 * noise[point * 3] + 0.8 * noise[point * 3 + 2]
    }
    let sums = try sums(fields, pairs: [ChannelPair(0, 1), ChannelPair(2, 0), ChannelPair(2, 2)])
    let power = try (0..<3).map { try PowerSpectrum(sums, channel: $0).power }
    let opposite = try CrossSpectrum(sums, pair: 0)
    let partial = try CrossSpectrum(sums, pair: 1)
    let same = try CrossSpectrum(sums, pair: 2)
    #expect(opposite.channels == ChannelPair(0, 1) && opposite.sampleCount == 300)
    #expect(same.coSpectrum == power[2])
    for shell in 0..<6 {
      #expect(abs(opposite.coSpectrum[shell] / power[0][shell] + 2) < Self.tolerance)
      #expect(abs(try #require(opposite.correlation[shell]) + 1) < Self.tolerance)
      // The standard error of a correlation r is (1 − r²)/√n.
      let standardError = (1 - 0.36) / Double(300 * partial.modeCounts[shell]).squareRoot()
      #expect(abs(try #require(partial.correlation[shell]) - 0.6) < 4 * standardError)
    }
  }

  @Test func channelsWithoutPowerHaveNoCorrelation() throws {
    let fields = TestFields.mapped(TestFields.normals([2, 4, 4, 2])) { $1 == 0 ? 0 : $0 }
    let sums = try sums(fields, pairs: [ChannelPair(0, 1)])
    #expect(try CrossSpectrum(sums, pair: 0).correlation == [nil, nil, nil])
    let (zero, other) = (try PowerSpectrum(sums, channel: 0), try PowerSpectrum(sums, channel: 1))
    #expect(try other.relativeErrors(to: zero) == [nil, nil, nil])
    #expect(try zero.relativeErrors(to: other) == [-1, -1, -1])
  }

  @Test func relativeErrorIsThatOfThePower() throws {
    let fields = TestFields.normals([3, 8, 8, 1])
    let spectrum = try PowerSpectrum(sums(fields), channel: 0)
    let larger = try PowerSpectrum(sums(TestFields.mapped(fields) { value, _ in 1.5 * value }), channel: 0)
    for error in try larger.relativeErrors(to: spectrum) {
      // Rounded to floats.
      #expect(abs(try #require(error) - 1.25) < 1e-6)
    }
    let smaller = try PowerSpectrum(sums(TestFields.normals([1, 6, 8, 1])), channel: 0)
    #expect(throws: FieldMeasureError.self) { try smaller.relativeErrors(to: spectrum) }
  }

  @Test func batchesAndThreadsChangeNoBit() throws {
    let fields = TestFields.normals([13, 6, 7, 2])
    let pairs = [ChannelPair(0, 1)]
    let once = try sums(fields, pairs: pairs)
    for pool in TestData.pools {
      var several = try SpectrumSums(shape: [6, 7, 2], pairs: pairs)
      for batch in [0..<5, 5..<5, 5..<12, 12..<13] { try several.add(fields[batch], workers: pool) }
      #expect(several.count == 13)
      #expect(try PowerSpectrum(several, channel: 1) == PowerSpectrum(once, channel: 1))
      #expect(try CrossSpectrum(several, pair: 0) == CrossSpectrum(once, pair: 0))
    }
  }

  @Test func unusableFieldsAreRefused() throws {
    #expect(throws: FieldMeasureError.noSuchChannel(2, channels: 2)) {
      try SpectrumSums(shape: [4, 4, 2], pairs: [ChannelPair(0, 2)])
    }
    var sums = try SpectrumSums(shape: [4, 4, 2])
    #expect(throws: FieldMeasureError.tooFew(things: "samples", found: 0, minimum: 1, measure: "a power spectrum")) {
      try PowerSpectrum(sums, channel: 0)
    }
    #expect(throws: FieldMeasureError.noSuchChannel(-1, channels: 2)) { try PowerSpectrum(sums, channel: -1) }
    let wrong = FieldMeasureError.wrongShape(name: "fields", found: [1, 4, 5, 2], expected: [nil, 4, 4, 2])
    #expect(wrong.description.hasPrefix("fields have the shape [1, 4, 5, 2], not […, 4, 4, 2]; "))
    #expect(throws: wrong) { try sums.add(TestFields.normals([1, 4, 5, 2]), workers: .callingThread) }
    let fields = TestFields.normals([3, 4, 4, 2])
    fields[32 + 2 * 8 + 3 * 2 + 1] = .nan
    #expect(throws: FieldMeasureError.notFinite(location: "number [1, 2, 3, 1] of the fields")) {
      try sums.add(fields, workers: .callingThread)
    }
    #expect(sums.count == 0)
  }
}
