import Failures
import Glibc
import Synchronization

/// Points at which a test makes one rank fail, to check how the other ranks react.
///
/// `DDPM_MPI_FAULT=save.write:1:error` makes rank 1 fail when it writes; `kill` ends its process there, as if its
/// machine were lost, and `hang` makes it wait forever. A fourth part, as in `save.write:1:kill:9`, selects the ninth
/// time that the rank reaches the point. Without the variable nothing happens.
package enum FaultPoint: String, CaseIterable {
  /// Produces a gradient that is not a number instead of an error.
  case gradient
  case saveReserve = "save.reserve"
  case saveCreate = "save.create"
  case saveHeader = "save.header"
  case saveWrite = "save.write"
  case saveMark = "save.mark"
  case saveClose = "save.close"
  case saveFlush = "save.flush"
  case saveRename = "save.rename"
  case loadOpen = "load.open"
  case loadHeader = "load.header"
  case loadRead = "load.read"
  case loadClose = "load.close"
  case evaluate

  /// Call it on every rank that reaches the point.
  /// - Throws: if this rank is to fail here.
  package func pass(rank: Int) throws {
    guard let request = FaultRequest.ofEnvironment, request.point == self, request.rank == rank else { return }
    guard request.passes.add(1, ordering: .relaxed).newValue == request.pass else { return }
    switch request.action {
    case .error: throw RunError(.failure, "failed at \(rawValue), as requested by DDPM_MPI_FAULT")
    case .kill: kill(getpid(), SIGKILL)
    case .hang: while true { sleep(1000) }
    }
  }
}

/// The failure that a test requests.
private final class FaultRequest: Sendable {
  enum Action: String {
    case error, kill, hang
  }

  let point: FaultPoint
  let rank: Int
  let action: Action
  let pass: Int
  /// How often the point was reached.
  let passes = Atomic<Int>(0)

  static let ofEnvironment = getenv("DDPM_MPI_FAULT").map { FaultRequest(String(cString: $0)) }

  init(_ text: String) {
    let parts = text.split(separator: ":").map(String.init)
    guard (3...4).contains(parts.count), let point = FaultPoint(rawValue: parts[0]), let rank = Int(parts[1]),
      let action = Action(rawValue: parts[2]), let pass = parts.count == 4 ? Int(parts[3]) : 1
    else {
      let points = FaultPoint.allCases.map(\.rawValue).joined(separator: ", ")
      fatalError("DDPM_MPI_FAULT is \(text); expected POINT:RANK:error|kill|hang[:PASS], with POINT one of \(points)")
    }
    self.point = point
    self.rank = rank
    self.action = action
    self.pass = pass
  }
}
