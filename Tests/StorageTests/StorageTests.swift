import Foundation
import Testing

/// All tests that use libhdf5 or MPI, neither of which is thread-safe: suites of this target are nested in this one,
/// which runs them one after another.
@Suite(.serialized) struct StorageTests {}

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
