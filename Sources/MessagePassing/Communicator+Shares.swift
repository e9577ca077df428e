extension Communicator {
  /// The range of `count` items that a rank processes; by default this rank.
  package func share(of count: Int, rank: Int? = nil) -> Range<Int> {
    let rank = rank ?? self.rank
    return count * rank / size..<count * (rank + 1) / size
  }

  /// The range of `count` items that each rank processes.
  package func shares(of count: Int) -> [Range<Int>] { (0..<size).map { share(of: count, rank: $0) } }

  /// This rank's share of `count` items, in batches of at most `size`.
  /// - Parameter group: the number of consecutive items that the same rank processes, in one batch or several; it
  ///   divides `count`.
  package func batches(of count: Int, size: Int, group: Int = 1) -> [Range<Int>] {
    precondition(count.isMultiple(of: group), "\(count) items are not groups of \(group)")
    let groups = share(of: count / group)
    let end = groups.upperBound * group
    return stride(from: groups.lowerBound * group, to: end, by: size).map { $0..<min($0 + size, end) }
  }
}

extension Range<Int> {
  package func moved(by distance: Int) -> Range<Int> { lowerBound + distance..<upperBound + distance }
}
