/// The ranks of a job as rows of equal length: a row is a node, a machine whose ranks reach one another through its memory.
///
/// What crosses the network goes between the ranks of one column, after the ranks of each row have added up what they
/// have: so a node sends what one rank would, however many ranks it has.
public struct RankGrid: Sendable, Equatable {
  /// Rows.
  public let nodeCount: Int
  /// Columns: ranks per node.
  public let slotCount: Int

  public init(nodes: Int, slots: Int) {
    precondition(nodes >= 1 && slots >= 1, "a job has at least one rank")
    nodeCount = nodes
    slotCount = slots
  }

  /// Every rank is taken to be a node of its own.
  public static func flat(_ rankCount: Int) -> RankGrid { RankGrid(nodes: rankCount, slots: 1) }

  /// The grid of ranks on these hosts; nil unless each host has equally many ranks and they follow one another, as only
  /// then a node's micro-batches follow one another.
  /// - Parameter hosts: the host of every rank, in the order of ranks.
  public init?(hosts: [String]) {
    let nodeCount = Set(hosts).count
    guard nodeCount > 0, hosts.count.isMultiple(of: nodeCount) else { return nil }
    let slotCount = hosts.count / nodeCount
    for (rank, host) in hosts.enumerated() where host != hosts[rank / slotCount * slotCount] { return nil }
    self.init(nodes: nodeCount, slots: slotCount)
  }

  public var rankCount: Int { nodeCount * slotCount }

  public func rank(node: Int, slot: Int) -> Int { node * slotCount + slot }

  public func node(of rank: Int) -> Int { rank / slotCount }

  public func slot(of rank: Int) -> Int { rank % slotCount }

  /// The ranks of a node.
  public func ranks(ofNode node: Int) -> [Int] { (0..<slotCount).map { rank(node: node, slot: $0) } }

  /// The ranks that have the same slot on all nodes.
  public func ranks(ofSlot slot: Int) -> [Int] { (0..<nodeCount).map { rank(node: $0, slot: slot) } }
}
