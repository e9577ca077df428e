import Failures
import Foundation
import MessagePassing

/// A behaviour that all ranks verify together.
struct Check: Sendable {
  /// States the behaviour.
  let name: String
  /// Runs on every rank and throws on those where the behaviour is wrong. A rank that throws before a collective
  /// operation leaves the others waiting in it, so communicate first and compare afterwards.
  let body: @Sendable (CheckContext) throws -> Void

  init(_ name: String, body: @escaping @Sendable (CheckContext) throws -> Void) {
    self.name = name
    self.body = body
  }
}

/// The environment of a check.
struct CheckContext: Sendable {
  let communicator: Communicator
  /// An empty folder that all ranks see, removed after all checks.
  let folder: URL

  var rank: Int { communicator.rank }
  var size: Int { communicator.size }
}

/// Why a check failed on a rank.
struct CheckFailure: Error, CustomStringConvertible {
  let description: String
}

/// Throws unless `condition` holds.
func expect(
  _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) throws {
  guard condition else { throw CheckFailure(description: "\(file):\(line): \(message())") }
}

/// Throws unless the two are equal.
func expectEqual<Value: Equatable>(
  _ actual: Value, _ expected: Value, file: StaticString = #fileID, line: UInt = #line
) throws {
  try expect(actual == expected, "got \(actual), expected \(expected)", file: file, line: line)
}

/// Returns the error of type `Failure` that `body` throws, and throws if there is none.
func expectError<Failure: Error>(
  _ type: Failure.Type, file: StaticString = #fileID, line: UInt = #line, _ body: () throws -> Void
) throws -> Failure {
  do {
    try body()
  } catch let error as Failure {
    return error
  }
  throw CheckFailure(description: "\(file):\(line): no \(type) was thrown")
}

/// Runs the checks in order; rank 0 prints a line for each, and a summary.
///
/// - Returns: whether all passed on all ranks.
func run(_ checks: [Check], over communicator: Communicator) throws -> Bool {
  let folder = try makeSharedFolder(communicator)
  let context = CheckContext(communicator: communicator, folder: folder)
  var failureCount = 0
  for check in checks {
    // A check whose ranks wait for each other would hang the job: the alarm signal ends this process, and so the job.
    alarm(secondsPerCheck)
    let failure: String?
    do {
      try check.body(context)
      failure = nil
    } catch {
      failure = String(describing: error)
    }
    do {
      try communicator.together { if let failure { throw CheckFailure(description: failure) } }
      report("passed: \(check.name)", communicator)
    } catch let failure as JobFailure {
      failureCount += 1
      report("FAILED: \(check.name): \(failure)", communicator)
    }
  }
  alarm(0)
  if communicator.rank == 0 { try FileManager.default.removeItem(at: folder) }
  report("\(checks.count - failureCount) passed, \(failureCount) failed", communicator)
  return failureCount == 0
}

/// Far more than a check takes: other programs may use the cores, and some libraries keep one busy in each waiting rank.
private let secondsPerCheck: UInt32 = 1200

/// Prints on rank 0 without buffering: if a job is ended early, buffered text is lost.
private func report(_ line: String, _ communicator: Communicator) {
  guard communicator.rank == 0 else { return }
  print(line)
  fflush(nil)
}

/// A new folder for temporary files, made and named by rank 0.
private func makeSharedFolder(_ communicator: Communicator) throws -> URL {
  let proposal = FileManager.default.temporaryDirectory.appendingPathComponent("rank-checks-\(UUID().uuidString)")
  let folder = URL(fileURLWithPath: try communicator.broadcast(encoding: proposal.path, from: 0), isDirectory: true)
  try communicator.together {
    if communicator.rank == 0 { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
  }
  return folder
}
