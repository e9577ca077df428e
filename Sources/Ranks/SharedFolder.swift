import Failures
import Files
import Foundation
import MessagePassing

extension Communicator {
  /// Makes sure that every rank finds what rank 0 writes into a folder: a rank that does not would leave the others
  /// waiting for ever when they open a file together. Collective.
  /// - Parameter folder: as this rank names it; on rank 0 it must exist.
  /// - Throws: `JobFailure` on all ranks.
  public func requireShared(folder: String) throws {
    guard size > 1 else { return }
    let name = try broadcast(encoding: ".shared-\(getpid())-\(UInt32.random(in: 0 ... .max))", from: 0)
    let path = "\(folder)/\(name)"
    try together {
      if rank == 0 { try replaceFile(at: path, with: []) }
    }
    defer { if rank == 0 { unlink(path) } }
    let host = try processorName
    try together {
      // A network file system may take a moment.
      let deadline = ContinuousClock.now + .seconds(5)
      while access(path, F_OK) != 0 {
        guard ContinuousClock.now < deadline else {
          throw InputError(
            "on host \(host) the folder \(folder) does not show what rank 0 writes there; name a folder that all hosts "
              + "share")
        }
        usleep(50_000)
      }
    }
  }
}
