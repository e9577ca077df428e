import Files
import Foundation

/// `fuzz SECONDS [FORMAT] [--seed NUMBER]`: passes changed inputs to every reader, each in a child process. The inputs
/// in Tests/Fuzz/Regressions, which failed once, come first.
///
/// Ends with status 1 if an input ended its process or took too much time or memory; such inputs are kept in the folder
/// that is printed, each with the command line that reproduces it.
@main
struct Main {
  static func main() {
    do {
      exit(try failureCount() == 0 ? 0 : 1)
    } catch {
      FileHandle.standardError.write(Data("fuzz: \(error)\n".utf8))
      exit(2)
    }
  }

  /// The number of failed inputs for the command line.
  private static func failureCount() throws -> Int {
    var arguments = Array(CommandLine.arguments.dropFirst())
    var seed = UInt64(Date().timeIntervalSince1970)
    if let index = arguments.firstIndex(of: "--seed"), index + 1 < arguments.count {
      guard let number = UInt64(arguments[index + 1]) else { throw Usage() }
      seed = number
      arguments.removeSubrange(index...index + 1)
    }
    let all = Format.all
    guard let seconds = arguments.first.flatMap(Double.init), arguments.count <= 2 else { throw Usage() }
    let formats = arguments.count == 2 ? all.filter { $0.name == arguments[1] } : all
    guard !formats.isEmpty else {
      throw Problem("there is no format \(arguments[1]); the formats are \(all.map(\.name).joined(separator: ", "))")
    }
    print("seed \(seed)")
    defer { try? FileManager.default.removeItem(atPath: Campaign.root) }
    var failureCount = 0
    for format in formats {
      var campaign = try Campaign(format, seed: seed)
      try campaign.runRegressions()
      try campaign.run(seconds: seconds / Double(formats.count))
      print(campaign.summary)
      failureCount += campaign.failureCount
    }
    return failureCount
  }

  struct Usage: Error, CustomStringConvertible {
    let description = "usage: fuzz SECONDS [FORMAT] [--seed NUMBER]"
  }
}

/// The inputs of one format, in order.
struct Campaign {
  private let format: Format
  private let seed: UInt64
  /// The folder of all formats' inputs while they are read.
  static let root = "\(FileManager.default.temporaryDirectory.path)/ddpm-mpi-fuzz-\(getpid())"

  /// The folder of this format.
  private let folder: String
  /// The folder in which failing inputs are kept.
  private let failures: String
  private let valid: Example
  private var counts: (inputs: Int, read: Int, refused: Int, stopped: Int) = (0, 0, 0, 0)
  private var slowest = 0.0
  private(set) var failureCount = 0

  /// The maximum number of failures of a format that are listed individually.
  private static let failureLimit = 10

  init(_ format: Format, seed: UInt64) throws {
    self.format = format
    self.seed = seed
    folder = "\(Self.root)/\(format.name)"
    failures = "\(FileManager.default.temporaryDirectory.path)/ddpm-mpi-fuzz-failures/\(format.name)"
    try? FileManager.default.removeItem(atPath: folder)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    valid = try format.example()
    for (name, contents) in valid.files { try Self.write(contents, to: "\(folder)/\(name)") }
    let (folder, read) = (folder, format.read)
    let outcome = ForkedRun.outcome(seconds: format.secondLimit) { try read(folder) }
    guard outcome == .read || format.mayRefuseExample else {
      throw Problem("\(format.name): the example that is changed must be read, but \(outcome)")
    }
  }

  mutating func runRegressions() throws {
    let manager = FileManager.default
    let source = "Tests/Fuzz/Regressions/\(format.name)"
    for name in (try? manager.contentsOfDirectory(atPath: source).sorted()) ?? [] {
      for target in valid.targets {
        guard let contents = manager.contents(atPath: "\(source)/\(name)/\(target)") else { continue }
        try run([UInt8](contents), as: target, named: "\(source)/\(name)")
      }
    }
  }

  mutating func run(seconds: Double) throws {
    let end = Date().addingTimeInterval(seconds)
    var number: UInt64 = 0
    while Date() < end, failureCount < Self.failureLimit {
      var generator = SeededGenerator(seed: seed &+ number)
      let target = valid.targets.randomElement(using: &generator)!
      let others = Array(valid.files.values)
      var contents = format.mutate(valid.files[target]!, others, &generator)
      if Bool.random(using: &generator) { format.repair(&contents) }
      try run(contents, as: target, named: "--seed \(seed &+ number)")
      number += 1
    }
  }

  private mutating func run(_ contents: [UInt8], as target: String, named name: String) throws {
    try Self.write(contents, to: "\(folder)/\(target)")
    let start = Date()
    let (folder, read) = (folder, format.read)
    let outcome = ForkedRun.outcome(seconds: format.secondLimit) { try read(folder) }
    slowest = max(slowest, Date().timeIntervalSince(start))
    counts.inputs += 1
    var reason: String?
    switch outcome {
    case .read: counts.read += 1
    case .refused: counts.refused += 1
    case .slow where format.mayBeSlow: counts.stopped += 1
    case .slow: reason = "took more than \(format.secondLimit) s"
    case .hung: reason = "waited forever"
    case .died(let signal): reason = signal
    }
    if let reason {
      failureCount += 1
      let kept = "\(failures)/\(seed)-\(counts.inputs)/\(target)"
      try Self.write(contents, to: kept)
      print("FAILED \(format.name): \(reason): \(name), kept as \(kept)")
    }
    try Self.write(valid.files[target]!, to: "\(folder)/\(target)")
  }

  var summary: String {
    let stopped = counts.stopped > 0 ? "\(counts.stopped) stopped, " : ""
    return "\(format.name): \(counts.inputs) inputs, \(counts.read) read, \(counts.refused) refused, \(stopped)"
      + "\(failureCount) failed; the slowest took \(String(format: "%.2f", slowest)) s"
  }

  private static func write(_ contents: [UInt8], to path: String) throws {
    try FileManager.default.createDirectory(
      atPath: parentFolder(of: path), withIntermediateDirectories: true)
    try Data(contents).write(to: URL(fileURLWithPath: path))
  }
}

struct Problem: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
