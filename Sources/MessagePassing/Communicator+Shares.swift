extension Communicator {
  /// What of `count` things a rank takes; by default this one.
  public func share(of count: Int, rank: Int? = nil) -> Range<Int> {
    let rank = rank ?? self.rank
    return count * rank / size..<count * (rank + 1) / size
  }

  /// The concatenation of all ranks' numbers, in the order of ranks. Collective.
  public func gatherInOrder(_ mine: [Double], counts: [Int]) throws -> [Double] {
    precondition(mine.count == counts[rank], "this rank has \(mine.count) numbers, not \(counts[rank])")
    let displacements = counts.indices.map { counts[..<$0].reduce(0, +) }
    var all = [Double](repeating: 0, count: counts.reduce(0, +))
    all.replaceSubrange(displacements[rank]..<displacements[rank] + mine.count, with: mine)
    try all.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return }
      try allGatherVariable(inPlace: start, counts: counts, displacements: displacements)
    }
    return all
  }
}
