extension Communicator {
  /// The range of `count` items that a rank processes; by default this rank.
  public func share(of count: Int, rank: Int? = nil) -> Range<Int> {
    let rank = rank ?? self.rank
    return count * rank / size..<count * (rank + 1) / size
  }

  /// The range of `count` items that each rank processes.
  public func shares(of count: Int) -> [Range<Int>] { (0..<size).map { share(of: count, rank: $0) } }
}
