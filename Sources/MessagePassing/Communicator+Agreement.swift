import Failures

extension Communicator {
  /// Runs `body` on every rank. If it fails anywhere, every rank throws the same `JobFailure`, which names the lowest
  /// rank that failed; so no rank goes on into a collective call that the failed one will never join.
  ///
  /// Collective. `body` itself must not call collectives that could be left half-attended.
  /// - Throws: `JobFailure` on every rank; `MPIError`.
  @discardableResult
  public func together<Success>(_ body: () throws -> Success) throws -> Success {
    let outcome = Result(catching: body)
    switch outcome {
    case .success: try agree(nil)
    // A failure that all ranks already know of passes through unchanged.
    case .failure(let failure as JobFailure): throw failure
    case .failure(let error): try agree(String(describing: error), status: ExitStatus(for: error))
    }
    return try outcome.get()
  }

  /// Lets the ranks agree that all are well before they enter a collective step, in which a missing rank would leave
  /// the others waiting forever.
  ///
  /// - Parameters:
  ///   - failure: what went wrong on this rank, or nil.
  ///   - status: how the job should end for it.
  /// - Throws: on every rank, `JobFailure` with the lowest failing rank and its message if there is one; `MPIError`.
  public func agree(_ failure: String?, status: ExitStatus = .failure) throws {
    let lowest = try allReduceMinimum(failure == nil ? size : rank)
    guard lowest < size else { return }
    let found = ExitStatus(rawValue: Int32(try allReduceMaximum(rank == lowest ? Int(status.rawValue) : 0)))
    throw JobFailure(
      rank: lowest, exitStatus: found ?? .failure, message: try broadcast(failure ?? "", from: lowest))
  }
}
