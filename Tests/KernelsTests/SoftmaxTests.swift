import Kernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct SoftmaxTests {
  /// Probabilities are at most one; the error of a weight is a few units, more if scores are far below the maximum.
  static let tolerance = 1e-6

  @Test(arguments: [1, 3, 15, 16, 17, 64, 100, 1024]) func rowsEqualTheReference(_ columns: Int) {
    let rows = 5
    let scale: Float = 0.7
    let scores = TestData.normals(rows * columns).map { 5 * $0 }
    let dProbabilities = TestData.normals(rows * columns, seed: 2)
    let p = TestData.filled(scores) { Softmax.forwardRows($0, rows: rows, columns: columns, scale: scale) }
    let expected = Reference.softmax(scores: scores, rows: rows, columns: columns, scale: Double(scale))
    #expect(TestData.largestDifference(p, expected) < Self.tolerance)
    let dScores = TestData.filled(dProbabilities) {
      Softmax.backwardRows(probabilities: p, dProbabilities: $0, rows: rows, columns: columns, scale: scale)
    }
    let expectedGradient = Reference.softmaxBackward(
      probabilities: p, dy: dProbabilities, rows: rows, columns: columns, scale: Double(scale))
    #expect(TestData.largestDifference(dScores, expectedGradient) < 4 * Self.tolerance)
  }

  @Test(arguments: [3, 16, 33]) func largeScoresNeitherOverflowNorVanish(_ columns: Int) {
    for level: Float in [-1e30, -1e4, 1e4, 1e30] {
      let scores = [Float](repeating: level, count: columns)
      let p = TestData.filled(scores) { Softmax.forwardRows($0, rows: 1, columns: columns, scale: 1) }
      #expect(p.allSatisfy { abs($0 - 1 / Float(columns)) < 1e-6 })
    }
  }

  @Test func nonFiniteScoreIsNotHidden() {
    var scores = TestData.normals(40)
    scores[35] = .nan
    let p = TestData.filled(scores) { Softmax.forwardRows($0, rows: 2, columns: 20, scale: 1) }
    #expect(p[..<20].allSatisfy { $0.isFinite })
    #expect(p[20...].allSatisfy { $0.isNaN })
  }
}
