import Glibc

/// Ends the process with status 1 if the system refuses a resource that is indispensable. Under a launcher, the whole
/// job ends with it.
package func endProcess(_ problem: String) -> Never {
  let text = Array("ddpm-mpi: \(problem)\n".utf8)
  _ = write(STDERR_FILENO, text, text.count)
  exit(1)
}
