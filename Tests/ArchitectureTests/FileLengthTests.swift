import Testing

struct FileLengthTests {
  static let limit = 350

  /// Longer files, and why.
  static let exceptions = ["Sources/TensorBoard/Protobuf/tensorboard_events.pb.swift": "generated"]

  @Test func onlyFilesWithAReasonExceedTheLimit() throws {
    var long: Set<String> = []
    for file in Package.swiftFiles(in: "Sources") + Package.swiftFiles(in: "Tests") {
      let count = try Package.text(file).utf8.count { $0 == UInt8(ascii: "\n") }
      guard count > Self.limit else { continue }
      long.insert(file)
      #expect(Self.exceptions[file] != nil, "\(file) has \(count) lines, more than \(Self.limit)")
    }
    #expect(long == Set(Self.exceptions.keys), "files that need no exception any more")
  }
}
