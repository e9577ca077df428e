import Failures
import Files
import Glibc
import MessagePassing

extension Communicator {
  /// Makes sure that every rank sees the files that rank 0 writes into a folder: otherwise the other ranks would wait
  /// forever when they open a file together. Collective.
  /// - Parameter folder: this rank's name of the folder; it must exist on rank 0.
  /// - Throws: `JobFailure` on all ranks.
  package func requireShared(folder: String) throws {
    guard size > 1 else { return }
    let name = try broadcast(encoding: ".shared-\(getpid())-\(UInt32.random(in: 0 ... .max))", from: 0)
    let path = "\(folder)/\(name)"
    try onRankZero { try replaceFile(at: path, with: []) }
    defer { if rank == 0 { unlink(path) } }
    let host = try processorName
    try together {
      // A network file system may take a moment.
      let deadline = ContinuousClock.now + .seconds(5)
      while access(path, F_OK) != 0 {
        guard ContinuousClock.now < deadline else {
          throw InputError(
            "on host \(host) the folder \(folder) does not show the files that rank 0 writes; choose one that all "
              + "hosts share")
        }
        usleep(50_000)
      }
    }
  }
}
