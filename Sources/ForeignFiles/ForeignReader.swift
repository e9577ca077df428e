import Files
import FoundationEssentials
import Glibc
import Synchronization

/// A child process that reads files from unknown sources, with limits on processor time and memory.
///
/// The child is this same program, started with a special argument, and takes no part in MPI. It lives as long as this
/// object. Only one thread at a time may ask.
package final class ForeignReader {
  /// The processor time in seconds that one question may take. Waiting for a disk takes none.
  package static let processorSeconds = 30
  /// The number of bytes that the child may allocate in addition to its memory at the start.
  package static let memoryLimit = 1 << 30
  /// The command-line argument by which the program recognises that it is such a child.
  static let argument = "--answer-questions-about-foreign-files"
  /// Whether this program's `main` starts with `serveIfAsked`.
  static let isServing = Mutex(false)

  private let socket: MessageSocket
  private var process: pid_t?

  /// - Throws: `ForeignReaderError` if no process can be started.
  package init() throws(ForeignReaderError) {
    guard let (own, theirs) = MessageSocket.pair() else { throw Self.startError(errno) }
    socket = MessageSocket(own)
    defer { close(theirs) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, theirs, STDIN_FILENO)
    // The output of a crashing library is of no use.
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
    }
    let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("ddpm-mpi"), strdup(Self.argument), nil]
    defer { for argument in arguments { free(argument) } }
    var identifier: pid_t = 0
    let status = posix_spawn(&identifier, Self.program, &actions, nil, arguments, environ)
    guard status == 0 else { throw Self.startError(status) }
    process = identifier
  }

  deinit {
    // It ends by itself when the connection is closed; a busy child is not waited for.
    if let process {
      kill(process, SIGKILL)
      waitpid(process, nil, 0)
    }
  }

  /// - Throws: `Question.Failure`, or `ForeignReaderError` if the child did not survive the question.
  package func ask<Question: ForeignQuestion>(_ question: Question) throws -> Question.Answer {
    guard process != nil, socket.send(Data("\(Question.self)".utf8)),
      socket.send(try PropertyListEncoder().encode(question)), let message = socket.receive()
    else { throw endError() }
    switch try PropertyListDecoder().decode(ForeignReply<Question>.self, from: message) {
    case .answer(let answer): return answer
    case .failure(let failure): throw failure
    }
  }

  /// Why the child has ended.
  private func endError() -> ForeignReaderError {
    var status: Int32 = 0
    if let process { waitpid(process, &status, 0) }
    process = nil
    let signal = status & 0x7f
    return ForeignReaderError(
      signal == SIGXCPU
        ? "reading it takes more than \(Self.processorSeconds) s of processor time: it is damaged"
        : "reading it ends in a crash (signal \(signal)) or takes more than \(Self.memoryLimit >> 30) GiB of memory: "
          + "it is damaged, or stored in pieces that are too large")
  }

  private static func startError(_ code: Int32) -> ForeignReaderError {
    ForeignReaderError("cannot start a process to read it: \(String(cString: strerror(code)))")
  }

  /// This program or, for tests, which are separate programs, the program beside them.
  private static let program: String = {
    let own = "/proc/self/exe"
    if isServing.withLock({ $0 }) { return own }
    let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: own)) ?? ""
    return Files.path(of: "ddpm-mpi", in: parentFolder(of: path))
  }()
}
