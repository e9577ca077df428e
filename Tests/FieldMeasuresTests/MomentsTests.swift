import FieldMeasures
import ReferenceKernels
import Tensors
import Testing

struct MomentsTests {
  /// Sums of some thousand powers of order one, in double precision.
  static let tolerance = 1e-11

  private func moments(_ fields: Tensor, channel: Int = 0) throws -> Moments {
    var sums = MomentSums(shape: Array(fields.shape.dropFirst()))
    try sums.add(fields, workers: .callingThread)
    return try Moments(sums, channel: channel)
  }

  @Test func momentsOfFiveNumbersHaveAClosedForm() throws {
    // Mean 4; differences −3, −2, −1, 0, 6 with the sums 50 of squares, 180 of cubes and 1394 of fourth powers.
    let values: [Float] = [1, 10, 3, 4, 2]
    for shape in [[1, 1, 5, 1], [5, 1, 1, 1]] {
      let moments = try moments(Tensor(values, shape: shape))
      #expect(abs(moments.mean - 4) < Self.tolerance)
      #expect(abs(moments.standardDeviation - 10.0.squareRoot()) < Self.tolerance)
      #expect(abs(try #require(moments.skewness) - 36 / (10 * 10.0.squareRoot())) < Self.tolerance)
      #expect(abs(try #require(moments.excessKurtosis) - (278.8 / 100 - 3)) < Self.tolerance)
      #expect(moments.minimum == 1 && moments.maximum == 10)
    }
  }

  /// Numbers that floats hold exactly beside a large mean: the higher moments stay the same.
  @Test func largeMeanCostsNoDigits() throws {
    let fields = TestFields.mapped(TestFields.normals([7, 6, 5, 1])) { value, _ in (value * 4).rounded() }
    let shifted = TestFields.mapped(fields) { value, _ in value + 1_000_000 }
    let (near, far) = (try moments(fields), try moments(shifted))
    #expect(abs(far.mean - 1_000_000 - near.mean) < 1e-8)
    #expect(abs(far.standardDeviation / near.standardDeviation - 1) < 1e-9)
    #expect(abs(try #require(far.skewness) - #require(near.skewness)) < 1e-9)
    #expect(abs(try #require(far.excessKurtosis) - #require(near.excessKurtosis)) < 1e-9)
  }

  @Test func normalNumbersHaveNeitherSkewnessNorExcessKurtosis() throws {
    let moments = try moments(TestFields.normals([50, 20, 20, 2]), channel: 1)
    // Standard errors √(1/n), √(1/2n), √(6/n) and √(24/n).
    let n = 20_000.0
    #expect(abs(moments.mean) < 4 / n.squareRoot())
    #expect(abs(moments.standardDeviation - 1) < 4 / (2 * n).squareRoot())
    #expect(abs(try #require(moments.skewness)) < 4 * (6 / n).squareRoot())
    #expect(abs(try #require(moments.excessKurtosis)) < 4 * (24 / n).squareRoot())
  }

  @Test func constantHasNoShape() throws {
    let moments = try moments(Tensor(repeating: 0.1, shape: [3, 7, 11, 1]))
    #expect(moments.mean == Double(Float(0.1)) && moments.standardDeviation == 0)
    #expect(moments.skewness == nil && moments.excessKurtosis == nil)
  }

  @Test func batchesAndThreadsChangeNoBit() throws {
    let fields = TestFields.normals([13, 6, 7, 2])
    let once = try moments(fields, channel: 1)
    for pool in TestData.pools {
      var sums = MomentSums(shape: [6, 7, 2])
      for batch in [0..<4, 4..<11, 11..<13] { try sums.add(fields[batch], workers: pool) }
      #expect(try Moments(sums, channel: 1) == once)
    }
  }

  /// A channel is missing in all of the first two samples, and in a part of the others.
  @Test func missingValuesDoNotCount() throws {
    let (fields, size) = (TestFields.normals([6, 4, 5, 2]), 40)
    let isPresent = (0..<fields.count).map { $0 % 2 == 0 || ($0 >= 2 * size && $0 % 3 != 0) }
    for pool in TestData.pools {
      var sums = MomentSums(shape: [4, 5, 2])
      for batch in [0..<1, 1..<4, 4..<6] {
        let part = batch.lowerBound * size..<batch.upperBound * size
        try sums.add(fields[batch], isPresent: Array(isPresent[part]), workers: pool)
      }
      for channel in 0..<2 {
        let values = (0..<fields.count).filter { $0 % 2 == channel && isPresent[$0] }.map { fields[$0] }
        let expected = try moments(Tensor(values, shape: [1, 1, values.count, 1]))
        let found = try Moments(sums, channel: channel)
        #expect(abs(found.mean - expected.mean) < Self.tolerance)
        #expect(abs(found.standardDeviation - expected.standardDeviation) < Self.tolerance)
        #expect(abs(try #require(found.skewness) - #require(expected.skewness)) < Self.tolerance)
        #expect(abs(try #require(found.excessKurtosis) - #require(expected.excessKurtosis)) < Self.tolerance)
        #expect(found.minimum == expected.minimum && found.maximum == expected.maximum)
      }
    }
    var none = MomentSums(shape: [4, 5, 2])
    try none.add(fields, isPresent: [Bool](repeating: false, count: fields.count), workers: .callingThread)
    let refusal = FieldMeasureError.tooFew(
      things: "values that are not missing", found: 0, minimum: 1, measure: "a mean")
    #expect(throws: refusal) { try Moments(none, channel: 0) }
  }

  @Test func unusableFieldsAreRefused() throws {
    var sums = MomentSums(shape: [2, 2, 1])
    #expect(throws: FieldMeasureError.tooFew(things: "samples", found: 0, minimum: 1, measure: "a mean")) {
      try Moments(sums, channel: 0)
    }
    #expect(throws: FieldMeasureError.noSuchChannel(1, channels: 1)) { try Moments(sums, channel: 1) }
    #expect(throws: FieldMeasureError.self) { try sums.add(TestFields.normals([2, 2, 1]), workers: .callingThread) }
    #expect(throws: FieldMeasureError.self) {
      try sums.add(Tensor(repeating: .infinity, shape: [1, 2, 2, 1]), workers: .callingThread)
    }
  }
}
