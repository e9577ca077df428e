import MessagePassing

extension SampleTree {
  /// The tree of all ranks' samples, on every rank: with the same bits as if one rank had added all of them.
  /// Collective.
  ///
  /// The samples of each rank follow those of the rank before it, as `communicator.share(of:)` has them; a rank may have
  /// none. Some rows are sent, as many as the logarithm of the number of samples.
  package func gathered(over communicator: Communicator) throws(MPIError) -> SampleTree {
    let counts = try communicator.allGather(nodes.count)
    let places = try communicator.allGather(nodes.flatMap { [$0.level, $0.index] }, counts: counts.map { 2 * $0 })
    let rows = try communicator.allGather(nodes.flatMap(\.row), counts: counts.map { width * $0 })
    var tree = SampleTree(width: width, combine: combine)
    for node in 0..<places.count / 2 {
      tree.append(
        Node(level: places[2 * node], index: places[2 * node + 1], row: Array(rows[node * width..<(node + 1) * width])))
    }
    return tree
  }
}
