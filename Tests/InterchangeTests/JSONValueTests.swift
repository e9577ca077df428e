import Interchange
import Testing

@Suite struct JSONValueTests {
  private func value(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8), path: "x.json") }

  @Test func valuesOfAllTypesAreRead() throws {
    let text = """
      {"a": [1, -0.5e1, 9223372036854775808, true, false, null], "é\\u00e9\\ud83d\\ude00": "\\n\\\\\\/\\"\\t", "b": {},
       "c": [NaN, Infinity, -Infinity], "d": []}
      """
    guard case .object(let object) = try value(text) else {
      Issue.record("it is an object")
      return
    }
    #expect(
      object["a"] == .list([.integer(1), .number(-5), .number(0x1p63), .boolean(true), .boolean(false), .null]))
    #expect(object["éé😀"] == .text("\n\\/\"\t"))
    #expect(object["b"] == .object([:]) && object["d"] == .list([]))
    #expect(object["c"]?.list?[0].number?.isNaN == true)
    #expect(object["c"]?.list?.dropFirst() == [.number(.infinity), .number(-.infinity)])
  }

  @Test(arguments: [
    "", "{", "[1,]", "[1 2]", "{\"a\":1,}", "{a:1}", "{'a':1}", "01", "-", "1.", "1e", "+1", ".5", "0x10", "nul", "1 2",
    "\"\n\"", "\"\\x\"", "\"\\ud800\"", "\"\\u12g4\"", "1e999", "{\"a\":1,\"a\":2}", "// no\n1",
  ]) func textThatIsNotJSONIsRefused(text: String) {
    let error = #expect(throws: InterchangeError.self) { try value(text) }
    #expect(error?.description.contains("x.json: is not JSON: at byte") == true)
  }

  @Test func keysThatAreNotUTF8AreRefused() {
    let bytes: [UInt8] = Array("{\"".utf8) + [0xff, 0xfe] + Array("\": 1}".utf8)
    let error = #expect(throws: InterchangeError.self) { try JSONValue(parsing: bytes, path: "x") }
    #expect(error?.problem.contains("not UTF-8") == true)
  }

  @Test func depthAndSizeHaveLimits() throws {
    _ = try value(String(repeating: "[", count: 64) + String(repeating: "]", count: 64))
    let deep = #expect(throws: InterchangeError.self) { try value(String(repeating: "[", count: 100_000)) }
    #expect(deep?.problem.contains("nested more than 64 deep") == true)
    let large = [UInt8](repeating: 0x20, count: JSONValue.sizeLimit + 1)
    let error = #expect(throws: InterchangeError.self) { try JSONValue(parsing: large, path: "x") }
    #expect(error?.problem.contains("the limit of \(JSONValue.sizeLimit)") == true)
  }
}
