import FieldMeasures
import Testing

struct SampleTreeTests {
  @Test func rowsAreAddedNumberByNumber() {
    var tree = SampleTree(width: 2)
    #expect(tree.total == nil && tree.count == 0)
    for sample in 0..<11 { tree.add([Double(sample), 1]) }
    #expect(tree.total == [55, 11] && tree.count == 11 && tree.nextSample == 11)
  }

  /// Differences are not associative: they show the order.
  @Test func rowsAreCombinedAlongABinaryTree() {
    func total(_ values: [Double]) -> Double? {
      var tree = SampleTree(width: 1) { left, right in [left[0] - right[0]] }
      for value in values { tree.add([value]) }
      return tree.total?[0]
    }
    #expect(total([5]) == 5)
    // (1 − 2) − 4.
    #expect(total([1, 2, 4]) == -5)
    // ((1 − 2) − (4 − 8)) − 16.
    #expect(total([1, 2, 4, 8, 16]) == -13)
    // ((1 − 2) − (4 − 8)) − ((16 − 32) − 64).
    #expect(total([1, 2, 4, 8, 16, 32, 64]) == 83)
  }
}
