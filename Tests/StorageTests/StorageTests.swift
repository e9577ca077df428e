import Foundation
import Testing

/// Everything that goes through libhdf5 or MPI, neither of which may be called by two threads at once: suites of this
/// target are nested in this one, which runs them one after the other.
@Suite(.serialized) struct StorageTests {}

/// A new folder that is removed when the test lets go of it.
final class TemporaryFolder: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("storage-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// Writes a file and returns its path.
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: url.appendingPathComponent(name))
    return path(name)
  }

  /// The names of all files, sorted.
  func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
}

/// Random numbers that are the same in every run (SplitMix64).
struct TestRandom: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) } }

  /// A range inside 0..<count, possibly empty.
  mutating func range(in count: Int) -> Range<Int> {
    let ends = [Int.random(in: 0...count, using: &self), Int.random(in: 0...count, using: &self)].sorted()
    return ends[0]..<ends[1]
  }

  /// 0..<count cut into consecutive ranges at random places.
  mutating func cuts(of count: Int, pieces: Int) -> [Range<Int>] {
    let inner = (1..<pieces).map { _ in Int.random(in: 0...count, using: &self) }.sorted()
    return zip([0] + inner, inner + [count]).map { $0..<$1 }
  }
}

/// Runs a program that prints to standard output, or returns nil if it is not installed.
func output(of program: String, _ arguments: [String]) throws -> String? {
  let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
  guard let folder = folders.first(where: { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }) else {
    return nil
  }
  let process = Process()
  let pipe = Pipe()
  process.executableURL = URL(fileURLWithPath: "\(folder)/\(program)")
  process.arguments = arguments
  process.standardOutput = pipe
  try process.run()
  let data = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return String(decoding: data, as: UTF8.self)
}
