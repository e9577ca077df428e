/// The Wasserstein-1 distance of two sets of numbers: the integral of the absolute difference of their quantile
/// functions, which is that of their distribution functions.
package enum WassersteinDistance {
  /// The exact distance, in the numbers' unit, by sorting: for sets that fit into memory. `Histogram` has an
  /// approximation for others.
  ///
  /// - Throws: `FieldMeasureError` if a set is empty or has a number that is infinite or NaN.
  package static func between(_ first: [Float], _ second: [Float]) throws(FieldMeasureError) -> Double {
    for numbers in [first, second] {
      guard !numbers.isEmpty else {
        throw .tooFew(things: "values", found: 0, minimum: 1, measure: "a Wasserstein distance")
      }
      if let index = numbers.firstIndex(where: { !$0.isFinite }) { throw .notFinite(location: "value \(index)") }
    }
    let (first, second) = (first.sorted(), second.sorted())
    var (passed, otherPassed) = (0, 0)
    var (position, distance) = (Double(min(first[0], second[0])), 0.0)
    while passed < first.count || otherPassed < second.count {
      // The next number of both sets.
      let next: Double
      let difference = Double(passed) / Double(first.count) - Double(otherPassed) / Double(second.count)
      if otherPassed == second.count || (passed < first.count && first[passed] <= second[otherPassed]) {
        next = Double(first[passed])
        passed += 1
      } else {
        next = Double(second[otherPassed])
        otherPassed += 1
      }
      distance += abs(difference) * (next - position)
      position = next
    }
    return distance
  }
}
