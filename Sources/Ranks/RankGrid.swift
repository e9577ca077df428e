/// The ranks of a job as a grid: each row is a node, a machine whose ranks communicate through its memory.
///
/// Only the ranks of one column communicate over the network, after the ranks of each row have added up their data: a
/// node therefore sends as much as one rank would, whatever its number of ranks.
package struct RankGrid: Sendable, Equatable {
  /// Rows.
  package let nodeCount: Int
  /// Columns: ranks per node.
  package let slotCount: Int

  package init(nodes: Int, slots: Int) {
    precondition(nodes >= 1 && slots >= 1, "a job needs at least one rank")
    nodeCount = nodes
    slotCount = slots
  }

  /// Treats every rank as a node of its own.
  package static func flat(_ rankCount: Int) -> RankGrid { RankGrid(nodes: rankCount, slots: 1) }

  /// The grid of ranks on these hosts; nil unless each host has the same number of consecutive ranks, since only then
  /// are a node's micro-batches consecutive.
  /// - Parameter hosts: the host of every rank, in the order of ranks.
  package init?(hosts: [String]) {
    let nodeCount = Set(hosts).count
    guard nodeCount > 0, hosts.count.isMultiple(of: nodeCount) else { return nil }
    let slotCount = hosts.count / nodeCount
    for (rank, host) in hosts.enumerated() where host != hosts[rank / slotCount * slotCount] { return nil }
    self.init(nodes: nodeCount, slots: slotCount)
  }

  package var rankCount: Int { nodeCount * slotCount }

  package func rank(node: Int, slot: Int) -> Int { node * slotCount + slot }

  package func node(of rank: Int) -> Int { rank / slotCount }

  package func slot(of rank: Int) -> Int { rank % slotCount }

  /// The ranks of a node.
  package func ranks(ofNode node: Int) -> [Int] { (0..<slotCount).map { rank(node: node, slot: $0) } }

  /// The ranks in one slot of all nodes.
  package func ranks(ofSlot slot: Int) -> [Int] { (0..<nodeCount).map { rank(node: $0, slot: slot) } }
}
