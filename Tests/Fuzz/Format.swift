import Foundation

/// Files that are read unchanged, except that one of the targets is changed each time.
struct Example {
  /// By path, relative to a folder.
  var files: [String: [UInt8]]
  /// The files that are changed, in alphabetical order.
  var targets: [String]

  init(_ files: [String: [UInt8]], changing targets: [String]? = nil) {
    self.files = files
    self.targets = (targets ?? Array(files.keys)).sorted()
  }
}

/// A kind of input: an example, how it is changed and what reads it.
struct Format: Sendable {
  typealias Mutation = @Sendable (_ input: [UInt8], _ others: [[UInt8]], inout SeededGenerator) -> [UInt8]

  let name: String
  let example: @Sendable () throws -> Example
  var mutate: Mutation = { Mutator.bytes($0, $1, using: &$2) }
  /// Corrects checksums, so that the code after their verification is reached.
  var repair: @Sendable (inout [UInt8]) -> Void = { _ in }
  /// Whether the example itself may be refused.
  var mayRefuseExample = false
  /// The processor time in seconds that an input may take.
  var secondLimit = ForkedRun.secondLimit
  /// Whether an input may legitimately take longer than the limit.
  var mayBeSlow = false
  /// Reads the contents of a folder; an error is a refusal.
  let read: @Sendable (_ folder: String) throws -> Void

  static let textMutation: Mutation = { Mutator.text($0, $1, using: &$2) }

  static var all: [Format] { imageFormats + dataFormats + fieldFormats + modelFormats + textFormats + [options] }
}

/// The bytes of a number, highest first.
func bigEndian(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.bigEndian, Array.init) }

func contents(of path: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) }

/// The contents that `write` writes to a temporary path.
func contents(by write: (_ path: String) throws -> Void) throws -> [UInt8] {
  let path = FileManager.default.temporaryDirectory.path + "/fuzz-example-\(UUID().uuidString)"
  defer { try? FileManager.default.removeItem(atPath: path) }
  try write(path)
  return try contents(of: path)
}
