import Evaluation
import Tensors
import Testing

@Suite struct KernelDistanceTests {
  /// Sums of tens of thousands of kernel values, of order one and at most 1e4.
  static let tolerance = 1e-11

  private func kernel(_ x: [Float], _ y: [Float]) -> Double {
    let base = zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) } / Double(x.count) + 1
    return base * base * base
  }

  private func meanAndStandardDeviation(_ values: [Double]) -> (mean: Double, standardDeviation: Double) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let squares: [Double] = values.map { ($0 - mean) * ($0 - mean) }
    return (mean, (squares.reduce(0, +) / count).squareRoot())
  }

  /// Means over pairs, by the definition.
  private func direct(_ first: Features, _ second: Features) -> Double {
    func mean(_ a: Features, _ b: Features, differing: Bool) -> Double {
      var (sum, count) = (0.0, 0.0)
      for row in 0..<a.count {
        for column in 0..<b.count where !differing || row != column {
          sum += kernel(a[row], b[column])
          count += 1
        }
      }
      return sum / count
    }
    return mean(first, first, differing: true) + mean(second, second, differing: true)
      - 2 * mean(first, second, differing: false)
  }

  @Test(arguments: [(2, 2, 1), (5, 7, 3), (100, 60, 33), (1030, 90, 4)])
  func discrepancyAgreesWithTheDefinition(first: Int, second: Int, dimension: Int) {
    let a = TestFeatures.rectified(first, dimension: dimension, seed: 1)
    let b = TestFeatures.rectified(second, dimension: dimension, seed: 2, shift: 0.5)
    let expected = direct(a, b)
    for pool in TestFeatures.pools {
      #expect(abs(KernelDistance.discrepancy(a, b, workers: pool) - expected) < Self.tolerance)
    }
  }

  /// Two points each: k(0, 0) = 1, k(1, 1) = 8 and k(0, 1) = 1 in one dimension.
  @Test func twoPointsHaveAClosedForm() {
    let (zeros, ones) = (Features([0, 0], dimension: 1), Features([1, 1], dimension: 1))
    #expect(KernelDistance.discrepancy(zeros, ones, workers: .callingThread) == 1 + 8 - 2)
  }

  @Test func oneSubsetOfAllImagesGivesTheWholeDistance() throws {
    let a = TestFeatures.rectified(80, dimension: 20, seed: 3)
    let b = TestFeatures.rectified(80, dimension: 20, seed: 4, shift: 0.1)
    let distance = try KernelDistance(a, b, subsetSize: 80, subsetCount: 3, seed: 9, workers: .callingThread)
    #expect(abs(distance.mean - KernelDistance.discrepancy(a, b, workers: .callingThread)) < Self.tolerance)
    // The subsets differ only in order.
    #expect(distance.standardDeviation < Self.tolerance)
  }

  @Test func meanAndStandardDeviationAreOverTheSubsets() throws {
    let a = TestFeatures.rectified(90, dimension: 10, seed: 5)
    let b = TestFeatures.rectified(70, dimension: 10, seed: 6)
    let distances = try TestFeatures.pools.map {
      try KernelDistance(a, b, subsetSize: 30, subsetCount: 7, seed: 11, workers: $0)
    }
    let estimates = (0..<7).map { subset in
      direct(
        a[KernelDistance.indices(subset, side: 0, size: 30, of: 90, seed: 11)],
        b[KernelDistance.indices(subset, side: 1, size: 30, of: 70, seed: 11)])
    }
    let (mean, standardDeviation) = meanAndStandardDeviation(estimates)
    #expect(abs(distances[0].mean - mean) < Self.tolerance)
    #expect(abs(distances[0].standardDeviation - standardDeviation) < Self.tolerance)
    #expect(distances[1] == distances[0] && distances[2] == distances[0])
  }

  @Test func subsetsAreDrawnWithoutReplacement() {
    let drawn = (0..<40).map { KernelDistance.indices($0, side: 0, size: 50, of: 60, seed: 1) }
    for indices in drawn { #expect(Set(indices).count == 50 && indices.allSatisfy { (0..<60).contains($0) }) }
    #expect(Set(drawn).count == 40)
    #expect(KernelDistance.indices(0, side: 1, size: 50, of: 60, seed: 1) != drawn[0])
    #expect(KernelDistance.indices(0, side: 0, size: 50, of: 60, seed: 2) != drawn[0])
    // Every image is drawn equally often: 40·50/60 = 33 times, with a standard deviation of 2.4.
    for image in 0..<60 { #expect((20...40).contains(drawn.count(where: { $0.contains(image) }))) }
  }

  /// For equal distributions, an unbiased estimate is zero on average; within three standard errors of the mean.
  @Test func equalDistributionsHaveDistanceZeroOnAverage() {
    let estimates = (0..<60).map { (pair: UInt64) -> Double in
      let first = TestFeatures.normals(40, dimension: 6, seed: 2 * pair + 100)
      let second = TestFeatures.normals(40, dimension: 6, seed: 2 * pair + 101)
      return KernelDistance.discrepancy(first, second, workers: .callingThread)
    }
    let (mean, standardDeviation) = meanAndStandardDeviation(estimates)
    #expect(abs(mean) < 3 * standardDeviation / Double(estimates.count).squareRoot())
    #expect(estimates.contains { $0 < 0 } && estimates.contains { $0 > 0 })
  }

  @Test func unusableFeaturesAreRefused() {
    let a = TestFeatures.normals(9, dimension: 2, seed: 1)
    func distance(_ b: Features, size: Int) throws -> KernelDistance {
      try KernelDistance(a, b, subsetSize: size, subsetCount: 2, seed: 0, workers: .callingThread)
    }
    #expect(
      throws: EvaluationError.tooFewImages(
        9, minimum: 10, measure: "a kernel distance over subsets of 10 images")
    ) { try distance(a, size: 10) }
    #expect(throws: EvaluationError.dimensionsDiffer(2, 3)) {
      try distance(TestFeatures.normals(9, dimension: 3, seed: 1), size: 9)
    }
    #expect(throws: EvaluationError.notFinite(location: "number 0 of image 1")) {
      try distance(Features([1, 2, .nan, 4], dimension: 2), size: 2)
    }
  }
}
