extension Communicator {
  /// Lets the ranks agree that all are well before they enter a collective step, in which a missing rank would leave
  /// the others waiting forever.
  ///
  /// - Parameter failure: what went wrong on this rank, or nil.
  /// - Throws: on every rank, `RankFailure` with the lowest failing rank and its message if there is one; `MPIError`.
  public func agree(_ failure: String?) throws {
    let lowest = Int(try allReduceMinimum(Int64(failure == nil ? size : rank)))
    guard lowest < size else { return }
    throw RankFailure(rank: lowest, message: try broadcast(failure ?? "", from: lowest))
  }

  /// Runs each rank's own part of a step and returns its result once the ranks have agreed that all parts succeeded.
  ///
  /// - Parameter body: must not communicate, since a rank that fails in it does so alone.
  /// - Throws: on every rank, `RankFailure` with the lowest failing rank and its error; `MPIError`.
  public func agreeing<Success>(_ body: () throws -> Success) throws -> Success {
    let outcome = Result(catching: body)
    switch outcome {
    case .success: try agree(nil)
    case .failure(let error): try agree(String(describing: error))
    }
    return try outcome.get()
  }
}
