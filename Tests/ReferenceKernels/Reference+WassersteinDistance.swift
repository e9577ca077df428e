extension Reference {
  /// The Wasserstein-1 distance of two sets of finite numbers, in their unit: the integral of the absolute difference of
  /// their quantile functions, which is that of their distribution functions. Exact, by sorting.
  package static func wassersteinDistance(_ first: [Float], _ second: [Float]) -> Double {
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
