import Evaluation
import Testing

@Suite struct InceptionScoreTests {
  /// Sums of up to a thousand numbers of order one in double precision.
  static let tolerance = 1e-13

  /// Logits that are certain of one class: exp(−200) is negligible compared to 1.
  private func oneHot(_ labels: [Int], classes: Int) -> Features {
    Features(labels.flatMap { label in (0..<classes).map { $0 == label ? 100 : -100 } }, dimension: classes)
  }

  @Test(arguments: [1, 5]) func certainAndUniformClassesScoreTheNumberOfClasses(splits: Int) throws {
    let score = try InceptionScore(logits: oneHot((0..<100).map { $0 % 10 }, classes: 10), splitCount: splits)
    #expect(abs(score.mean - 10) < 10 * Self.tolerance)
    #expect(score.standardDeviation < 10 * Self.tolerance)
  }

  @Test func identicalProbabilitiesScoreOne() throws {
    for logits in [Features([Float](repeating: 3, count: 70), dimension: 7), oneHot([2, 2, 2, 2], classes: 5)] {
      let score = try InceptionScore(logits: logits, splitCount: 2)
      #expect(abs(score.mean - 1) < Self.tolerance)
    }
  }

  /// Two splits, one with a single class and one with two: scores 1 and 2.
  @Test func eachSplitHasItsOwnMarginal() throws {
    let score = try InceptionScore(logits: oneHot([1, 1, 0, 1], classes: 2), splitCount: 2)
    #expect(abs(score.mean - 1.5) < Self.tolerance && abs(score.standardDeviation - 0.5) < Self.tolerance)
  }

  /// p = (3/4, 1/4) and (1/4, 3/4): KL = ¾ log 3/2 + ¼ log 1/2 for both.
  @Test func uncertainProbabilitiesAreWeighted() throws {
    let three = Float(1.0986122886681098)
    let score = try InceptionScore(logits: Features([three, 0, 500, 500 + three], dimension: 2), splitCount: 1)
    // The logits are rounded to single precision, as is a difference near 500.
    #expect(abs(score.mean - 1.1397535284773888) < 2e-5)
  }

  @Test func unusableLogitsAreRefused() {
    #expect(throws: EvaluationError.tooFewImages(4, minimum: 5, measure: "an Inception score over 5 splits")) {
      try InceptionScore(logits: oneHot([0, 1, 0, 1], classes: 2), splitCount: 5)
    }
    #expect(throws: EvaluationError.notFinite(location: "number 1 of image 2")) {
      try InceptionScore(logits: Features([0, 0, 0, 0, 0, .nan], dimension: 2), splitCount: 1)
    }
  }
}
