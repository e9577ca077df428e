import Glibc
import Threads

/// Keeps other processes out of a folder whose file system has no locks: a file that only one process can create
/// (open(2), O_EXCL), and that its owner rewrites at short intervals. Nothing else of it is left to the system, so it
/// holds between machines too, however the file system is mounted.
///
/// A process that finds the file asks whether its owner lives. On the owner's machine the system knows. Elsewhere the
/// owner lives if the file changes within a given time; the times of files and the machines' clocks do not matter. If
/// the owner is dead, one of those who wait replaces the file. If an owner was not dead but could not write for that
/// long, it finds the file replaced and ends.
package final class HeartbeatLock {
  package struct Timing: Sendable {
    /// Between two changes of the file.
    let beat: Duration
    /// Between two looks at the file of another process.
    let look: Duration
    /// The number of looks after which an owner that has changed nothing is dead. Looks are counted, not seconds, since
    /// a file system that hangs keeps both from the file.
    let patience: Int

    package init(beat: Duration = .seconds(5), look: Duration = .seconds(1), patience: Int = 60) {
      self.beat = beat
      self.look = look
      self.patience = patience
    }
  }

  private let path: String
  private let descriptor: Int32
  private let record: Record
  private let isReleased = Monitor(false)
  private var thread: BackgroundThread?

  /// Waits as long as it takes to know whether an owner of the file lives.
  /// - Parameters:
  ///   - owner: a description of this process, one line, which is shown to a process that is refused.
  ///   - note: receives messages while this waits.
  ///   - lost: called on another thread if another process has taken the lock over, and may even have released it; it
  ///     must end this process.
  /// - Throws: `FileError` if another process holds the lock, with its description, or if the file cannot be written.
  package init(
    _ path: String, owner: String, timing: Timing = Timing(), note: (String) -> Void,
    lost: @escaping @Sendable (String) -> Void
  ) throws(FileError) {
    let record = Record(owner: owner)
    var descriptor = try Self.create(path, record)
    while descriptor == nil {
      // Released meanwhile, unless there is a record.
      if let other = try Record(at: path) {
        try Self.requireDead(other, path, timing, note)
        descriptor = try Self.replace(other, at: path, by: record)
      }
      if descriptor == nil { descriptor = try Self.create(path, record) }
    }
    let file = descriptor!
    self.path = path
    self.record = record
    self.descriptor = file
    let isReleased = self.isReleased
    thread = BackgroundThread("lock") {
      var record = record
      while isReleased.wait(atMost: timing.beat, for: { $0 ? () : nil }) == nil {
        do {
          let now = try Record(at: path)
          if now?.key != record.key {
            let change = now.map { "is now the lock of \($0.owner)" } ?? "has been removed"
            return lost("\(path) \(change), perhaps since this process could not renew it for too long")
          }
        } catch {
          // It may be readable next time.
        }
        record.beat += 1
        record.write(to: file)
      }
    }
  }

  deinit {
    release()
    close(descriptor)
  }

  /// Removes the file.
  package func release() {
    isReleased.update { $0 = true }
    guard let thread = self.thread.take() else { return }
    thread.join()
    if (try? Record(at: path))?.key == record.key { unlink(path) }
  }

  /// Creates the file with the record.
  /// - Returns: its descriptor; nil if it exists.
  private static func create(_ path: String, _ record: Record) throws(FileError) -> Int32? {
    var information = stat()
    if lstat(path, &information) == 0, let kind = nameOfSpecialFile(information) {
      throw FileError(cannot: "write", path, reason: "it is \(kind), not a file; remove it", kind: .notRegular)
    }
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard descriptor >= 0 else {
      if errno == EEXIST { return nil }
      throw FileError(cannot: "create", path)
    }
    guard record.write(to: descriptor) else {
      let error = FileError(cannot: "write", path)
      close(descriptor)
      unlink(path)
      throw error
    }
    return descriptor
  }

  /// Throws unless the owner is dead.
  private static func requireDead(
    _ other: Record, _ path: String, _ timing: Timing, _ note: (String) -> Void
  ) throws(FileError) {
    let refusal = FileError("\(path) is locked by \(other.owner)", kind: .locked)
    switch other.process.isRunning {
    case true?: throw refusal
    case false?: note("\(other.owner) held \(path) and is gone; taking the lock over.")
    case nil:
      note(
        "\(path) is the lock of \(other.owner). Waiting \(timing.look * timing.patience) at most to see whether it still "
          + "runs.")
      for _ in 0..<timing.patience {
        sleep(timing.look)
        guard let now = try Record(at: path), now.key == other.key else { return }
        guard now.beat == other.beat else { throw refusal }
      }
      note("It has shown no sign of life; taking the lock over.")
    }
  }

  /// Replaces the file if it still has the record `other`.
  ///
  /// The new file has a name that belongs to `other` before it is renamed, and only one process can create it. Whoever
  /// creates it again after that finds that the record has changed.
  /// - Returns: its descriptor; nil if the record has changed.
  private static func replace(_ other: Record, at path: String, by record: Record) throws(FileError) -> Int32? {
    let successor = "\(path).\(other.key)"
    guard let descriptor = try create(successor, record) else {
      throw FileError("\(path) is being taken over by another process; if there is none, remove \(successor)")
    }
    let now: Record?
    do throws(FileError) {
      now = try Record(at: path)
      guard now != other || rename(successor, path) == 0 else { throw FileError(cannot: "replace", path) }
    } catch {
      close(descriptor)
      unlink(successor)
      throw error
    }
    if now == other { return descriptor }
    close(descriptor)
    unlink(successor)
    return nil
  }

  private static func sleep(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    var rest = timespec()
    while nanosleep(&time, &rest) != 0 && errno == EINTR { time = rest }
  }
}

/// The contents of the file.
private struct Record: Equatable, Sendable {
  let owner: String
  let process: ProcessIdentity
  /// Distinguishes this lock from all others. Part of a file's name.
  let key: String
  var beat = 0

  init(owner: String) {
    self.owner = owner
    process = .current
    key = String(UInt64.random(in: .min ... .max), radix: 16)
  }

  /// Reads the file; nil if there is none. A file that is damaged or not written yet is the record of an unknown
  /// process, which is dead if it stays so.
  init?(at path: String) throws(FileError) {
    guard let text = beginning(of: path) else {
      let error = FileError(cannot: "read", path)
      if error.kind == .missing { return nil }
      throw error
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let isWhole = lines.count >= 4 && UInt64(lines[2], radix: 16) != nil
    owner = isWhole ? lines[0] : "an unknown process"
    process = isWhole ? ProcessIdentity(lines[1]) : .unknown
    key = isWhole ? lines[2] : "unknown"
    beat = isWhole ? Int(lines[3]) ?? 0 : text.utf8.count
  }

  /// The same number of bytes at every beat, so that a reader never sees parts of two.
  private var text: String {
    let number = String(beat)
    return "\(owner)\n\(process.text)\n\(key)\n\(String(repeating: "0", count: max(0, 20 - number.count)))\(number)\n"
  }

  /// Replaces the contents of the file and flushes them to where other machines see them.
  @discardableResult
  func write(to descriptor: Int32) -> Bool {
    let bytes = Array(text.utf8)
    return bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) } == bytes.count
      && fsync(descriptor) == 0
  }
}

/// A process among all that a network's machines have ever run.
private struct ProcessIdentity: Equatable, Sendable {
  /// The start of the system, and the set of processes that see each other: containers may have their own.
  let machine: String
  let number: pid_t
  /// In the system's clock ticks; numbers of processes are used again.
  let startTime: String

  static let unknown = ProcessIdentity(machine: "", number: 0, startTime: "")

  static var current: ProcessIdentity {
    ProcessIdentity(machine: currentMachine, number: getpid(), startTime: readStartTime(of: getpid()) ?? "")
  }

  private init(machine: String, number: pid_t, startTime: String) {
    self.machine = machine
    self.number = number
    self.startTime = startTime
  }

  init(_ text: String) {
    let words = text.split(separator: " ").map(String.init)
    guard words.count == 3, let number = pid_t(words[1]), number > 0 else {
      self = .unknown
      return
    }
    self.init(machine: words[0], number: number, startTime: words[2])
  }

  var text: String { "\(machine) \(number) \(startTime)" }

  /// nil if this machine cannot know.
  var isRunning: Bool? {
    guard !machine.isEmpty, machine == Self.currentMachine else { return nil }
    if kill(number, 0) != 0 && errno == ESRCH { return false }
    // The time may be hidden from other users; then the number decides.
    return Self.readStartTime(of: number).map { $0 == startTime } ?? true
  }

  /// Empty if the system does not tell.
  private static var currentMachine: String {
    guard let start = beginning(of: "/proc/sys/kernel/random/boot_id") else { return "" }
    var name = [UInt8](repeating: 0, count: 64)
    let count = name.withUnsafeMutableBytes {
      readlink("/proc/self/ns/pid", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    guard count > 0 else { return "" }
    let processes = String(decoding: name.prefix(count), as: UTF8.self)
    return "\(start.split(separator: "\n").first ?? "")/\(processes)"
  }

  /// proc(5), the 22nd field of /proc/<number>/stat. The second is a name in parentheses, in which there may be spaces.
  /// - Returns: nil if it is hidden; empty for a process that has ended, and whose parent has not taken its status yet.
  private static func readStartTime(of number: pid_t) -> String? {
    guard let text = beginning(of: "/proc/\(number)/stat"), let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    if fields.first == "Z" { return "" }
    return fields.count > 19 ? String(fields[19]) : nil
  }
}

/// The first bytes of a small file, whatever size the system states: for those in /proc it is 0.
/// - Returns: nil if it cannot be read; errno then has the reason.
private func beginning(of path: String) -> String? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
  guard descriptor >= 0 else { return nil }
  var bytes = [UInt8](repeating: 0, count: 4096)
  let count = read(descriptor, &bytes, bytes.count)
  let reason = errno
  close(descriptor)
  errno = reason
  return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
}
