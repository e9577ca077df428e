extension Communicator {
  /// What of `count` things a rank takes; by default this one.
  public func share(of count: Int, rank: Int? = nil) -> Range<Int> {
    let rank = rank ?? self.rank
    return count * rank / size..<count * (rank + 1) / size
  }

  /// What of `count` things each rank takes.
  public func shares(of count: Int) -> [Range<Int>] { (0..<size).map { share(of: count, rank: $0) } }
}
