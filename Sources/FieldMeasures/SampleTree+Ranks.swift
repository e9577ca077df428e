import MessagePassing

extension SampleTree {
  /// The tree of all ranks' samples, on every rank: with the same bits as if one rank had added all of them.
  /// Collective.
  ///
  /// The samples of each rank follow those of the rank before it, as `communicator.share(of:)` has them; a rank may have
  /// none. Some rows are sent, as many as the logarithm of the number of samples.
  package func gathered(over communicator: Communicator) throws(MPIError) -> SampleTree {
    let counts = try communicator.allGather(nodes.count)
    let levels = try communicator.allGather(nodes.map(\.level), counts: counts)
    let indices = try communicator.allGather(nodes.map(\.index), counts: counts)
    let rows = try communicator.allGather(nodes.flatMap(\.row), counts: counts.map { width * $0 })
    var tree = SampleTree(width: width, combine: combine)
    for node in levels.indices {
      let row = Array(rows[node * width..<(node + 1) * width])
      tree.append(Node(level: levels[node], index: indices[node], row: row))
    }
    return tree
  }
}
