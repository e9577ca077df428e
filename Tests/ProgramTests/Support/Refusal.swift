import Foundation
import Testing

/// A command that is refused, and parts of its message, in order.
struct Refusal: Sendable, CustomTestStringConvertible {
  let words: Words
  let parts: [String]

  init(_ words: Words, _ parts: String...) {
    self.words = words
    self.parts = parts
  }

  var testDescription: String { words.description }

  /// Expects status 2 and exactly one message, the same on two ranks and alone.
  ///
  /// - Parameter inTurn: whether to run them one after another, since they would lock each other out of a run's folder.
  func check(inTurn: Bool = false, in folder: String? = nil, sourceLocation: SourceLocation = #_sourceLocation)
    async throws
  {
    async let shared = ddpm(words, ranks: 2, in: folder)
    if inTurn { _ = try await shared }
    let alone = try await ddpm(words, in: folder)
    for (run, beginning) in [(try await shared, "rank 0: "), (alone, "ddpm-mpi: ")] {
      run.isRefused(with: [beginning] + parts, sourceLocation: sourceLocation)
    }
  }
}

extension ProgramRun {
  /// Expects status 2 and exactly one message, with these parts in this order.
  func isRefused(with parts: [String], sourceLocation: SourceLocation = #_sourceLocation) {
    ends(2, sourceLocation: sourceLocation)
    #expect(messages.count == 1, "\(self)", sourceLocation: sourceLocation)
    var rest = (messages.first ?? "")[...]
    for part in parts {
      guard let range = rest.range(of: part) else {
        Issue.record("it did not say \"\(part)\" there: \(self)", sourceLocation: sourceLocation)
        return
      }
      rest = rest[range.upperBound...]
    }
  }
}
