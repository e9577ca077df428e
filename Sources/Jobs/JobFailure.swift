import Checkpoints
import Datasets
import Diffusion
import Files
import HDF5
import Interchange
import MessagePassing

/// How a job ends, as the shell sees it. Documented in docs/clusters.md; scripts rely on the numbers.
public enum ExitStatus: Int32, Sendable {
  case done = 0
  /// Something outside the user's input went wrong: MPI, the file system, a bug.
  case failure = 1
  /// Arguments, configuration or data.
  case badInput = 2
  /// The loss or a gradient was not a finite number.
  case notFinite = 3
  /// A checkpoint that should be loaded is damaged or missing.
  case badCheckpoint = 4
  /// Training was asked to stop before its end, and everything is saved: run it again with `--resume`.
  case stopped = 5
  /// A rank did not answer or did not move on, and the job was ended for it: go on with `--resume`.
  case hung = 6
}

/// An error that knows how the job should end.
public protocol JobEndingError: Error {
  var exitStatus: ExitStatus { get }
  /// Whether every rank throws this error too: then rank 0 alone reports it, and all leave cleanly.
  var isKnownToAllRanks: Bool { get }
}

extension JobEndingError {
  public var isKnownToAllRanks: Bool { false }
}

/// What was wrong with the user's request, and what to do about it.
public struct InputError: JobEndingError, CustomStringConvertible {
  public let description: String
  public var exitStatus: ExitStatus { .badInput }

  public init(_ description: String) {
    self.description = description
  }
}

/// What went wrong during a run, on this rank.
public struct RunError: JobEndingError, CustomStringConvertible {
  public let exitStatus: ExitStatus
  public let description: String

  public init(_ exitStatus: ExitStatus, _ description: String) {
    self.exitStatus = exitStatus
    self.description = description
  }
}

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

extension RankFailure: JobEndingError {
  public var exitStatus: ExitStatus { .failure }
  public var isKnownToAllRanks: Bool { true }
}

extension ExitStatus {
  public init(for error: any Error) {
    switch error {
    case let error as any JobEndingError: self = error.exitStatus
    case is DatasetError, is DiffusionError, is FileError, is InterchangeError: self = .badInput
    case is CheckpointError: self = .badCheckpoint
    default: self = .failure
    }
  }
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
