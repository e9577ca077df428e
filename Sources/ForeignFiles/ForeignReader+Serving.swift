import Files
import FoundationEssentials
import Glibc

extension ForeignReader {
  /// If the program was started as a child process that answers questions, does so until the connection is closed, and
  /// does not return. Call it before anything else.
  /// - Parameters:
  ///   - kinds: the kinds of questions that are answered.
  ///   - arguments: those of the command line, without the program's name.
  package static func serveIfAsked(_ kinds: [any ForeignQuestion.Type], arguments: [String]) {
    isServing.withLock { $0 = true }
    guard arguments.first == argument else { return }
    limitMemory()
    let socket = MessageSocket(STDIN_FILENO)
    while let name = socket.receive(), let question = socket.receive() {
      guard let kind = kinds.first(where: { Data("\($0)".utf8) == name }) else { break }
      limitProcessorTime()
      guard let reply = try? reply(to: question, of: kind), socket.send(reply) else { break }
    }
    // Skips exit handlers, which MPI or HDF5 may have registered.
    _exit(0)
  }

  private static func reply<Question: ForeignQuestion>(to question: Data, of kind: Question.Type) throws -> Data {
    let question = try PropertyListDecoder().decode(kind, from: question)
    let reply: ForeignReply<Question>
    do throws(Question.Failure) { reply = .answer(try question.answer()) } catch { reply = .failure(error) }
    return try PropertyListEncoder().encode(reply)
  }

  private static func limitMemory() {
    // Crashes are expected; their core dumps are not needed.
    setLimit(RLIMIT_CORE, 0)
    let pages = systemText("/proc/self/statm")?.split(separator: " ").first
    setLimit(RLIMIT_AS, rlim_t(pages.flatMap { Int($0) } ?? 0) * rlim_t(getpagesize()) + rlim_t(memoryLimit))
  }

  /// Restarts the limit for the next question.
  private static func limitProcessorTime() {
    var used = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &used)
    setLimit(RLIMIT_CPU, rlim_t(used.ru_utime.tv_sec + used.ru_stime.tv_sec + processorSeconds))
  }

  /// Keeps the hard limit, so that the limit can be raised again.
  private static func setLimit(_ kind: __rlimit_resource, _ value: rlim_t) {
    var limit = rlimit()
    getrlimit(Int32(kind.rawValue), &limit)
    limit.rlim_cur = min(value, limit.rlim_max)
    setrlimit(Int32(kind.rawValue), &limit)
  }
}
