// Verifies on several ranks what unit tests in a single process cannot: `mpirun -n 3 .build/release/rank-checks`. The
// exit status is 1 if a check failed on any rank. Arguments choose the checks whose names contain one of them.

import Foundation
import MessagePassing

do {
  let world = try MPISession.initialise()
  let all =
    messagePassingChecks + sharedFileChecks + checkpointChecks + exchangeChecks + trainingChecks + jobChecks
    + evaluationChecks + fieldChecks + fieldMeasureChecks
  let words = CommandLine.arguments.dropFirst()
  let chosen = words.isEmpty ? all : all.filter { check in words.contains { check.name.contains($0) } }
  if chosen.isEmpty { throw CheckFailure(description: "no check's name contains \(words.joined(separator: " or "))") }
  let allPassed = try run(chosen, over: world)
  try MPISession.finalise()
  exit(allPassed ? 0 : 1)
} catch {
  FileHandle.standardError.write(Data("rank-checks: \(error)\n".utf8))
  MPISession.abort(status: 1)
}
