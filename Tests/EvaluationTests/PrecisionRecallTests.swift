import Evaluation
import Tensors
import Testing

@Suite struct PrecisionRecallTests {
  private func direct(_ generated: Features, _ real: Features, k: Int) -> (precision: Double, recall: Double) {
    func distance(_ x: [Float], _ y: [Float]) -> Double {
      zip(x, y).reduce(0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
    }
    func radii(_ set: Features) -> [Double] {
      (0..<set.count).map { image in
        (0..<set.count).filter { $0 != image }.map { distance(set[image], set[$0]) }.sorted()[k - 1]
      }
    }
    func partOn(_ manifold: Features, _ set: Features) -> Double {
      let radii = radii(manifold)
      let inside = (0..<set.count).count(where: { image in
        (0..<manifold.count).contains { distance(set[image], manifold[$0]) <= radii[$0] }
      })
      return Double(inside) / Double(set.count)
    }
    return (partOn(real, generated), partOn(generated, real))
  }

  @Test(arguments: [(5, 4, 1, 1), (40, 70, 3, 3), (200, 150, 30, 3), (1100, 130, 2, 5), (90, 2100, 3, 3)])
  func bothAgreeWithTheDefinition(generated: Int, real: Int, dimension: Int, k: Int) throws {
    let a = TestFeatures.rectified(generated, dimension: dimension, seed: 1, shift: 0.3)
    let b = TestFeatures.normals(real, dimension: dimension, seed: 2)
    let expected = direct(a, b, k: k)
    for pool in TestFeatures.pools {
      let result = try PrecisionRecall(generated: a, real: b, neighbourCount: k, workers: pool)
      #expect(result.precision == expected.precision && result.recall == expected.recall)
    }
  }

  /// Also if images occur twice, so that balls have radius zero.
  @Test(arguments: [1, 4]) func equalSetsCoverEachOther(copies: Int) throws {
    let values = TestFeatures.rectified(40, dimension: 100, seed: 3).values
    let set = Features(Array((0..<copies).map { _ in values }.joined()), dimension: 100)
    let result = try PrecisionRecall(generated: set, real: set, workers: .callingThread)
    #expect(result.precision == 1 && result.recall == 1)
  }

  @Test func distantSetsDoNotOverlap() throws {
    let a = TestFeatures.normals(30, dimension: 4, seed: 1)
    let b = Features(TestFeatures.normals(20, dimension: 4, seed: 2).values.map { $0 + 1000 }, dimension: 4)
    let result = try PrecisionRecall(generated: a, real: b, workers: .callingThread)
    #expect(result.precision == 0 && result.recall == 0)
  }

  /// Generated images at one of two real positions: all are realistic, and half of the real ones are covered.
  @Test func precisionAndRecallAreNotExchanged() throws {
    let near = TestFeatures.normals(20, dimension: 2, seed: 1).values
    let far = TestFeatures.normals(20, dimension: 2, seed: 2).values.map { $0 + 1000 }
    let result = try PrecisionRecall(
      generated: Features(near, dimension: 2), real: Features(near + far, dimension: 2), workers: .callingThread)
    #expect(result.precision == 1 && result.recall == 0.5)
  }

  @Test func unusableFeaturesAreRefused() {
    let a = TestFeatures.normals(9, dimension: 2, seed: 1)
    func result(_ b: Features) throws -> PrecisionRecall {
      try PrecisionRecall(generated: a, real: b, workers: .callingThread)
    }
    #expect(throws: EvaluationError.tooFewImages(3, minimum: 4, measure: "precision and recall with 3 neighbours")) {
      try result(TestFeatures.normals(3, dimension: 2, seed: 1))
    }
    #expect(throws: EvaluationError.dimensionsDiffer(2, 3)) {
      try result(TestFeatures.normals(9, dimension: 3, seed: 1))
    }
    #expect(throws: EvaluationError.notFinite(location: "number 0 of image 0")) {
      try result(Features([.nan, 1, 2, 3, 4, 5, 6, 7], dimension: 2))
    }
  }
}
