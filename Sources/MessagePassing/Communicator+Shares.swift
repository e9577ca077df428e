extension Communicator {
  /// The range of `count` items that a rank processes; by default this rank.
  package func share(of count: Int, rank: Int? = nil) -> Range<Int> {
    let rank = rank ?? self.rank
    return count * rank / size..<count * (rank + 1) / size
  }

  /// The range of `count` items that each rank processes.
  package func shares(of count: Int) -> [Range<Int>] { (0..<size).map { share(of: count, rank: $0) } }

  /// This rank's share of `count` items, in batches of at most `size`.
  package func batches(of count: Int, size: Int) -> [Range<Int>] {
    let share = share(of: count)
    return stride(from: share.lowerBound, to: share.upperBound, by: size).map {
      $0..<min($0 + size, share.upperBound)
    }
  }
}

extension Range<Int> {
  package func moved(by distance: Int) -> Range<Int> { lowerBound + distance..<upperBound + distance }
}
