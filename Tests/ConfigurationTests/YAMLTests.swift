import Configuration
import Testing

/// What configuration files may look like; numbers, lists and names are in `ConfigurationParsingTests`.
@Suite struct YAMLTests {
  /// The path that a file with this value has.
  private func path(_ value: String) throws -> String? {
    try RunConfiguration(yaml: "seed: 1\ndata:\n  path: \(value)\n  name: cifar10\n", file: "run.yaml").data.path
  }

  private func problem(_ yaml: String) -> String {
    let found = problems { () throws(ConfigurationError) in _ = try RunConfiguration(yaml: yaml, file: "run.yaml") }
    return found.count == 1 ? found[0] : "\(found)"
  }

  @Test(arguments: [
    ("plain text # a comment", "plain text"), ("a#b", "a#b"), ("http://host:80/a", "http://host:80/a"),
    ("continued\n    here\n\n    and here", "continued here\nand here"),
    ("'it''s'", "it's"), ("'a\n\n     b'", "a\nb"), (#""a\tb\x41\u00e9\U0001F600\"\\""#, "a\tbAé😀\"\\"),
    ("\"a \\\n     b\"", "a b"), ("|\n    a\n     b\n\n    c", "a\n b\n\nc\n"), (">-\n    a\n    b\n\n    c", "a b\nc"),
    ("|+\n    a\n", "a\n\n"), ("|2-\n     a", " a"), ("!!str 5", "5"), ("&name /a", "/a"), ("!!str", nil),
  ])
  func textsAreRead(value: String, path: String?) throws {
    #expect(try self.path(value) == path)
  }

  @Test(arguments: [
    "model:\n  multipliers:\n  - 1\n  - 2", "model:\n  multipliers:\n    - 1\n    - 2",
    "model: {multipliers: [1,\n  2,]}", "%YAML 1.1\n--- # a comment\nmodel.multipliers: [ 1, 2 ]\n...\n",
    "\"model\" : {\"multipliers\": [1, 2]}\r\n", "? model\n: ? multipliers\n  : [1, 2]",
    "\u{FEFF}model.multipliers: [1, 2]",
  ])
  func listsAndSectionsAreRead(yaml: String) throws {
    #expect(try RunConfiguration(yaml: yaml, file: "run.yaml").model.multipliers == [1, 2])
  }

  @Test(arguments: [
    ("a: b: c", 1, "mapping values are not allowed in this context"),
    ("seed: 1\nnot a key\nmodel: 2", 3, "could not find expected ':'"),
    ("seed: 1\n model: 2", 2, "mapping values are not allowed in this context"),
    ("a:\n  b: 1\n c: 2", 3, "did not find expected key"),
    ("- 1\nseed: 2", 2, "did not find expected '-' indicator"),
    ("seed: - 1", 1, "block sequence entries are not allowed in this context"),
    ("model: [1, 2\nseed: 1", 2, "did not find expected ',' or ']'"),
    ("model: {a: 1\nseed: 1", 2, "did not find expected ',' or '}'"),
    ("seed: 1\n\tmodel: 2", 2, "found a tab character that violates indentation"),
    ("seed:\n\t- 1", 2, "found character that cannot start any token"),
    ("seed: @1", 1, "found character that cannot start any token"),
    ("seed: \"1", 1, "found unexpected end of stream"),
    ("seed: '1\n", 2, "found unexpected end of stream"),
    (#"seed: "\q""#, 1, "found unknown escape character"),
    (#"seed: "\xg0""#, 1, "did not find expected hexdecimal number"),
    ("seed: |x", 1, "did not find expected comment or line break"),
    ("seed: *name", 1, "found undefined alias"),
    ("seed: 1\n--- \nseed: 2", 2, "but found another document"),
    ("seed: 1\u{1}", 1, "control characters are not allowed"),
    ("]", 1, "did not find expected node content"),
  ])
  func errorsNameTheLine(yaml: String, line: Int, expected: String) {
    #expect(problem(yaml) == "run.yaml:\(line): this is not YAML: \(expected)")
  }

  @Test func anythingIsWrittenAsYAML() throws {
    for scalar in ["\0", "\u{7F}", "\u{85}", "\u{A0}", "\u{2028}", "\u{FEFF}", "\u{FFFE}", "\u{10FFFF}", "\u{1B}"] {
      var configuration = RunConfiguration()
      configuration.data.path = "a" + scalar
      #expect(try RunConfiguration(yaml: configuration.yaml, file: "run.yaml") == configuration)
    }
  }
}
