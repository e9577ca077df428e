import Foundation
import RegexBuilder
import Testing

/// The exit status and output of a command.
struct ProgramRun: Sendable, CustomStringConvertible {
  let command: Words
  /// The exit status, or 128 plus the signal's number.
  let status: Int
  let output: String
  let error: String

  var text: String { output + error }
  var lines: [Substring] { text.split(separator: "\n") }

  /// The lines with error messages.
  var messages: [Substring] { lines.filter { $0.contains("ddpm-mpi:") || $0.contains("Error:") } }

  var description: String { "\(command)\nended with \(status)\n\(text)" }

  /// Expects the status and each of the texts, which may be regular expressions.
  @discardableResult
  func ends(
    _ expected: Int, saying texts: any RegexComponent..., sourceLocation: SourceLocation = #_sourceLocation
  ) -> ProgramRun {
    check(expected, texts, sourceLocation)
  }

  /// Expects status 0 and each of the texts.
  @discardableResult
  func succeeds(saying texts: any RegexComponent..., sourceLocation: SourceLocation = #_sourceLocation) -> ProgramRun {
    check(0, texts, sourceLocation)
  }

  private func check(_ expected: Int, _ texts: [any RegexComponent], _ sourceLocation: SourceLocation) -> ProgramRun {
    #expect(status == expected, "\(self)", sourceLocation: sourceLocation)
    for text in texts where !says(text) {
      Issue.record("it did not say \(text): \(self)", sourceLocation: sourceLocation)
    }
    return self
  }

  func says(_ text: any RegexComponent) -> Bool { self.text.contains(text) }

  /// The only line of the output, which is JSON with keys in snake case.
  func json<Value: Decodable>(as _: Value.Type, sourceLocation: SourceLocation = #_sourceLocation) throws -> Value {
    ends(0, sourceLocation: sourceLocation)
    #expect(output.split(separator: "\n").count == 1, "\(self)", sourceLocation: sourceLocation)
    return try decode(output)
  }
}

/// A value in JSON whose keys are in snake case.
func decode<Value: Decodable>(_ text: some StringProtocol, as _: Value.Type = Value.self) throws -> Value {
  let decoder = JSONDecoder()
  decoder.keyDecodingStrategy = .convertFromSnakeCase
  return try decoder.decode(Value.self, from: Data(text.utf8))
}

/// The lines of a file of JSON objects. Keys of dictionaries are not converted.
func jsonLines<Value: Decodable>(at path: String, as _: Value.Type) throws -> [Value] {
  try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
    try JSONDecoder().decode(Value.self, from: Data($0.utf8))
  }
}
