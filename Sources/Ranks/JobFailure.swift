import Failures
import Files
import MessagePassing

/// A failure on one rank that all ranks know of: each of them throws this, and rank 0 alone reports it.
public struct JobFailure: JobEndingError, CustomStringConvertible {
  public let rank: Int
  public let exitStatus: ExitStatus
  public let message: String
  public var isKnownToAllRanks: Bool { true }

  public init(rank: Int, exitStatus: ExitStatus, message: String) {
    self.rank = rank
    self.exitStatus = exitStatus
    self.message = message
  }

  public var description: String { "rank \(rank): \(message)" }
}

extension Communicator {
  /// Runs `body` on every rank. If it fails anywhere, every rank throws the same `JobFailure`, which names the lowest
  /// rank that failed; so no rank goes on into a collective call that the failed one will never join.
  ///
  /// Collective. `body` itself must not call collectives that could be left half-attended.
  @discardableResult
  public func together<Success>(_ body: () throws -> Success) throws -> Success {
    let outcome = Result(catching: body)
    var report: String?
    if case .failure(let error) = outcome {
      // A failure that all ranks already know of passes through unchanged.
      if let failure = error as? JobFailure { throw failure }
      report = "\(ExitStatus(for: error).rawValue) \(error)"
    }
    do {
      try agree(report)
    } catch let failure as RankFailure {
      let (status, message) = Self.split(failure.message)
      throw JobFailure(rank: failure.rank, exitStatus: status, message: message)
    }
    return try outcome.get()
  }

  private static func split(_ report: String) -> (ExitStatus, String) {
    let parts = report.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    let status = parts.first.flatMap { Int32($0) }.flatMap(ExitStatus.init(rawValue:)) ?? .failure
    return (status, parts.count == 2 ? String(parts[1]) : report)
  }
}
