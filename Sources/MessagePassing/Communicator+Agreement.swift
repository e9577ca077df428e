import Failures

/// Methods by which ranks make sure that all of them continue in the same way.
extension Communicator {
  /// Runs `body` on every rank. If it fails anywhere, every rank throws the same `JobFailure`, which names the lowest
  /// rank that failed; no rank enters a collective call that the failed one will never join.
  ///
  /// Collective. `body` itself must not call collectives that some ranks might not reach.
  /// - Throws: `JobFailure` on every rank; `MPIError`.
  @discardableResult
  package func together<Success>(_ body: () throws -> Success) throws -> Success {
    let outcome = Result(catching: body)
    var failure: JobFailure?
    switch outcome {
    case .success: break
    // A failure that all ranks already know of is passed on unchanged.
    case .failure(let known as JobFailure): throw known
    case .failure(let error):
      failure = JobFailure(rank: rank, exitStatus: ExitStatus(for: error), message: String(describing: error))
    }
    let lowest = try allReduceMinimum(failure == nil ? size : rank)
    if lowest < size { throw try broadcast(encoding: failure, from: lowest) }
    return try outcome.get()
  }

  /// Runs `body` on rank 0. If it fails, every rank throws the same `JobFailure`. Collective.
  /// - Returns: its result on rank 0, nil elsewhere.
  @discardableResult
  package func onRankZero<Success>(_ body: () throws -> Success) throws -> Success? {
    try together { rank == 0 ? try body() : nil }
  }

  /// Throws if a rank has a different value than rank 0. Collective.
  /// - Parameter what: the name of the value for the message.
  /// - Throws: `JobFailure` on all ranks, showing both values.
  package func requireAlike(_ what: String, _ mine: String) throws {
    guard let other = try firstDifference(of: mine) else { return }
    throw JobFailure(
      rank: other.rank, exitStatus: .badInput,
      message: "its \(what) differs from that of rank 0 "
        + "(rank 0: \(other.ofRankZero); rank \(other.rank): \(other.value))")
  }

  /// The lowest rank with a different value than rank 0, and both values; nil if there is none. The same on all ranks.
  /// Collective.
  ///
  /// Each rank compares its value with that of rank 0, so at most two values are sent, however many ranks there are.
  package func firstDifference(of mine: String) throws -> (rank: Int, value: String, ofRankZero: String)? {
    let ofRankZero = try broadcast(encoding: mine, from: 0)
    let lowest = try allReduceMinimum(mine == ofRankZero ? size : rank)
    if lowest == size { return nil }
    return (lowest, try broadcast(encoding: mine, from: lowest), ofRankZero)
  }
}
