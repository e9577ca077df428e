import Foundation

/// The result of an input in a child process.
enum Outcome: Equatable {
  /// It was accepted.
  case read
  /// It was refused with an error.
  case refused
  /// It took more than the limit of processor time.
  case slow
  /// It waited forever.
  case hung
  /// It ended the process, by a signal or with an exit status that is not a refusal.
  case died(String)
}

/// Runs `body` in a child process, within limits of time and memory.
enum ForkedRun {
  /// Seconds of processor time.
  static let secondLimit = 20
  /// Seconds of real time, for inputs that make it wait forever; long enough for a busy machine.
  private static let clockLimit: UInt32 = 180
  /// Bytes in addition to the process's memory at its start.
  static let memoryLimit = 1 << 30

  /// The status of a child that throws an error, and those of the program itself (`ExitStatus`).
  private static let refusals: ClosedRange<Int32> = 1...6

  static func outcome(seconds: Int, of body: () throws -> Void) -> Outcome {
    fflush(nil)
    let child = forkProcess()
    precondition(child >= 0, "no process can be started: \(String(cString: strerror(errno)))")
    if child == 0 {
      limit(seconds: seconds)
      do {
        try body()
        _exit(0)
      } catch { _exit(refusals.lowerBound) }
    }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    let (signal, code) = (status & 0x7f, (status >> 8) & 0xff)
    switch signal {
    case 0: return code == 0 ? .read : refusals.contains(code) ? .refused : .died("exit status \(code)")
    case SIGXCPU: return .slow
    case SIGALRM: return .hung
    default: return .died("signal \(signal) (\(String(cString: strsignal(signal))))")
    }
  }

  private static func limit(seconds: Int) {
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] where getenv("FUZZ_VERBOSE") == nil {
      let nowhere = open("/dev/null", O_WRONLY)
      dup2(nowhere, descriptor)
      close(nowhere)
    }
    set(RLIMIT_CORE, 0)
    set(RLIMIT_CPU, rlim_t(seconds))
    let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii))?.split(separator: " ").first
    set(RLIMIT_AS, rlim_t(pages.flatMap { Int($0) } ?? 0) * rlim_t(getpagesize()) + rlim_t(memoryLimit))
    alarm(clockLimit)
  }

  static func set(_ kind: __rlimit_resource, _ value: rlim_t) {
    var limit = rlimit()
    getrlimit(Int32(kind.rawValue), &limit)
    limit.rlim_cur = min(value, limit.rlim_max)
    setrlimit(Int32(kind.rawValue), &limit)
  }

  /// Swift hides it, since the child of a process with several threads has only one of them. This process has one.
  private static let forkProcess: @convention(c) () -> pid_t = {
    unsafeBitCast(dlsym(nil, "fork"), to: (@convention(c) () -> pid_t).self)
  }()
}
