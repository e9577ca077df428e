import Foundation

/// Files that are read as they are; of some of them one is changed each time.
struct Example {
  /// By their paths in a folder.
  var files: [String: [UInt8]]
  /// Those that are changed, in alphabetical order.
  var targets: [String]

  init(_ files: [String: [UInt8]], changing targets: [String]? = nil) {
    self.files = files
    self.targets = (targets ?? Array(files.keys)).sorted()
  }
}

/// A kind of input: an example, how it is changed and who reads it.
struct Format: Sendable {
  typealias Mutation = @Sendable (_ input: [UInt8], _ others: [[UInt8]], inout SeededGenerator) -> [UInt8]

  let name: String
  let example: @Sendable () throws -> Example
  var mutate: Mutation = { Mutator.bytes($0, $1, using: &$2) }
  /// Makes checksums right again, so that what lies behind them is reached.
  var repair: @Sendable (inout [UInt8]) -> Void = { _ in }
  /// Whether the example need not be one that is read: nothing then is known to be good.
  var mayRefuseExample = false
  /// Seconds of processor time that an input may take.
  var secondLimit = ForkedRun.secondLimit
  /// Whether an input may ask for more work than there is time for.
  var mayBeSlow = false
  /// Reads what is in a folder; an error is a refusal.
  let read: @Sendable (_ folder: String) throws -> Void

  static let textMutation: Mutation = { Mutator.text($0, $1, using: &$2) }

  static var all: [Format] { imageFormats + dataFormats + modelFormats + textFormats + [options] }
}

/// Bytes of a number, the highest first.
func bigEndian(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.bigEndian, Array.init) }

func contents(of path: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) }

/// What `write` puts under a path of its own.
func contents(by write: (_ path: String) throws -> Void) throws -> [UInt8] {
  let path = FileManager.default.temporaryDirectory.path + "/fuzz-example-\(UUID().uuidString)"
  defer { try? FileManager.default.removeItem(atPath: path) }
  try write(path)
  return try contents(of: path)
}
