import FieldMeasures
import ReferenceKernels
import Tensors
import Testing

struct HistogramTests {
  /// Sums of some products of order one, in double precision.
  static let tolerance = 1e-12

  private func histogram(_ values: [Float], edges: [Double]) throws -> Histogram {
    var histogram = try Histogram(edges: edges)
    try histogram.add(Tensor(values, shape: [1, 1, values.count, 1]), channel: 0, workers: .callingThread)
    return histogram
  }

  @Test func binsHaveTheirLowerEdgesAndTheLastBinHasBoth() throws {
    let histogram = try histogram([-2, -1, -0.5, 0, 0.25, 1, 2, 2.5, 3], edges: [-1, 0, 1, 2])
    #expect(histogram.counts == [2, 2, 2])
    #expect(histogram.below == 1 && histogram.above == 2 && histogram.total == 9)
  }

  @Test func equalEdgesSpanTheRange() {
    #expect(Histogram.equalEdges(over: -1...3, bins: 4) == [-1, 0, 1, 2, 3])
    #expect(Histogram.equalEdges(over: 2...2, bins: 2) == [1.5, 2, 2.5])
    let edges = Histogram.equalEdges(over: 0.1...0.7, bins: 7)
    #expect(edges.first == 0.1 && edges.last == 0.7)
  }

  @Test func channelsAreCountedApart() throws {
    let fields = Tensor([1, 5, 2, 6, 3, 7, 4, 8], shape: [2, 1, 2, 2])
    for pool in TestData.pools {
      var second = try Histogram(edges: [4.5, 6.5, 8.5])
      try second.add(fields, channel: 1, workers: pool)
      #expect(second.counts == [2, 2] && second.total == 4)
      // The 6 is missing.
      var present = try Histogram(edges: [4.5, 6.5, 8.5])
      try present.add(fields, channel: 1, isPresent: (0..<8).map { $0 != 3 }, workers: pool)
      #expect(present.counts == [1, 2] && present.total == 3)
    }
  }

  @Test func distanceIsHowFarValuesMove() throws {
    let edges = [0.0, 1, 2, 4]
    let low = try histogram([0.5, 0.5, 1.5, 1.5], edges: edges)
    // All from the centre ½ to 1½, and from 1½ to 3.
    let high = try histogram([1.2, 1.3, 3.5, 3.9], edges: edges)
    #expect(abs(try low.wassersteinDistance(to: high) - (0.5 * 1 + 0.5 * 1.5)) < Self.tolerance)
    #expect(try low.wassersteinDistance(to: low) == 0)
    // Half of the values from ½ to the edge 0, and half from 1½ to the edge 4; different numbers of values.
    let outside = try histogram([-7, 9], edges: edges)
    #expect(abs(try low.wassersteinDistance(to: outside) - (0.5 * 0.5 + 0.5 * 2.5)) < Self.tolerance)
    #expect(try low.wassersteinDistance(to: outside) == outside.wassersteinDistance(to: low))
  }

  @Test func distanceOfFineHistogramsIsThatOfTheValues() throws {
    let (first, second) = (
      TestFields.normals([500]).elements, TestFields.normals([700], seed: 2).elements.map { $0 + 1 }
    )
    let edges = Histogram.equalEdges(over: -6...6, bins: 3000)
    let exact = Reference.wassersteinDistance(first, second)
    let distance = try histogram(first, edges: edges).wassersteinDistance(to: histogram(second, edges: edges))
    #expect(abs(distance - exact) < 12 / 3000)
  }

  @Test func distanceOfValuesHasClosedForms() {
    #expect(Reference.wassersteinDistance([3, 1, 2], [1, 2, 3]) == 0)
    #expect(Reference.wassersteinDistance([0, 1], [0]) == 0.5)
    #expect(Reference.wassersteinDistance([0, 0, 0, 4], [1, 1]) == 0.75 * 1 + 0.25 * 3)
    let values = TestFields.normals([101]).elements.map { ($0 * 1024).rounded() / 1024 }
    #expect(abs(Reference.wassersteinDistance(values, values.map { $0 - 2.5 }) - 2.5) < Self.tolerance)
  }

  @Test func unusableHistogramsAreRefused() throws {
    for edges in [[], [1], [1, 1], [0, 2, 1], [0, .nan], [0, .infinity]] {
      #expect(throws: FieldMeasureError.self) { try Histogram(edges: edges) }
    }
    var histogram = try Histogram(edges: [0, 1])
    let other = try Histogram(edges: [0, 2])
    #expect(throws: FieldMeasureError.wrongEdges(problem: "the two histograms have different edges")) {
      try histogram.wassersteinDistance(to: other)
    }
    #expect(throws: FieldMeasureError.self) { try histogram.wassersteinDistance(to: histogram) }
    #expect(throws: FieldMeasureError.noSuchChannel(3, channels: 1)) {
      try histogram.add(TestFields.normals([1, 2, 2, 1]), channel: 3, workers: .callingThread)
    }
  }
}
