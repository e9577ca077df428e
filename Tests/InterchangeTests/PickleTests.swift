import Foundation
import Interchange
import Testing

@Suite struct PickleTests {
  /// A pickle of protocol 2.
  private static func pickle(_ program: String, tail: [UInt8] = []) -> Data {
    Data([0x80, 2] + Array(program.utf8) + tail)
  }

  @Test func aDictionaryOfTextsNumbersAndListsIsRead() throws {
    // As Python 2 wrote CIFAR's batches.
    let program = "}q\u{1}(U\u{6}labelsq\u{2}]q\u{3}(K\u{6}M\u{0}\u{1}J\u{1}\u{0}\u{0}\u{0}euh\u{3}h\u{1}."
    let pickle = try Pickle(Self.pickle(program), path: "x")
    let items = try #require(pickle.items(pickle.root))
    #expect(items.count == 1 && pickle.text(items[0].key) == "labels")
    #expect(pickle.elements(items[0].value)?.map { pickle.integer($0) } == [6, 256, 1])
  }

  @Test func callsAreRecordedButNotExecuted() throws {
    // numpy.core.multiarray._reconstruct(numpy.ndarray, (0,), b"b") with the state (1, (1, 2), …, b"\x01\x02").
    let program = "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\u{0}tR(K\u{1}K\u{1}K\u{2}"
    let state: [UInt8] = [0x86, UInt8(ascii: "U"), 2, 7, 200, UInt8(ascii: "t"), UInt8(ascii: "b"), UInt8(ascii: ".")]
    let pickle = try Pickle(Self.pickle(program, tail: state), path: "x")
    let call = try #require(pickle.call(pickle.root))
    #expect(call.function == "numpy.core.multiarray._reconstruct" && call.arguments.count == 2)
    let parts = try #require(call.state.flatMap { pickle.elements($0) })
    #expect(pickle.elements(parts[1])?.map { pickle.integer($0) } == [1, 2])
    #expect(pickle.bytes(parts[2]).map(Array.init) == [7, 200] && pickle.text(parts[2]) == nil)
  }

  @Test func everyWidthOfNumbersAndTextsIsRead() throws {
    let long: [UInt8] = [0x8a, 2, 0xff, 0xff, 0x8a, 0, 0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    let rest: [UInt8] = [
      0x4a, 0xfe, 0xff, 0xff, 0xff, 0x47, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0x88, 0x89, 0x4e, 0x58, 2, 0, 0, 0, 0xc3, 0xa4,
      0x8c, 1, 0x61, 0x42, 1, 0, 0, 0, 5, 0x74, 0x2e,
    ]
    let pickle = try Pickle(Data([0x80, 4, 0x28] + long + rest), path: "x")
    let elements = try #require(pickle.elements(pickle.root))
    #expect(pickle.integer(elements[0]) == -1 && pickle.integer(elements[1]) == 0)
    guard case .longInteger(let digits) = pickle[elements[2]] else { throw Failure() }
    #expect(digits == [0, 0, 0, 0, 0, 0, 0, 0, 1])
    #expect(pickle.integer(elements[3]) == -2)
    guard case .number(1.5) = pickle[elements[4]], case .boolean(true) = pickle[elements[5]],
      case .boolean(false) = pickle[elements[6]], case .none = pickle[elements[7]]
    else { throw Failure() }
    #expect(pickle.text(elements[8]) == "ä" && pickle.text(elements[9]) == "a")
    #expect(pickle.bytes(elements[10]).map(Array.init) == [5])
  }

  private struct Failure: Error {}

  @Test func referencesShareAnObject() throws {
    // A list that contains itself; a change through one reference is visible through the other.
    let pickle = try Pickle(Self.pickle("]q\u{0}h\u{0}aK\u{5}a."), path: "x")
    let elements = try #require(pickle.elements(pickle.root))
    #expect(elements.count == 2 && elements[0] == pickle.root && pickle.integer(elements[1]) == 5)
  }

  @Test(arguments: [
    // An instance of a class, created without a call that could be recorded.
    (")\u{1}.", "operation 0x1 at byte 3"), ("cos\nsystem\n)i.", "operation 0x69"),
    // Nothing on the stack, or nothing of the right kind.
    (".", "is invalid"), ("K\u{1}a.", "is invalid"), ("t.", "is invalid"), ("h\u{1}.", "is invalid"),
    ("K\u{1}(.", "is invalid"), ("}(K\u{1}u.", "is invalid"), ("K\u{1})R.", "is invalid"),
    ("]K\u{1}b.", "is invalid"),
    // Truncated.
    ("", "is truncated"), ("M\u{1}", "is truncated"), ("X\u{ff}", "is truncated"), ("cos\nsystem", "is truncated"),
    ("T\u{1}\u{1}\u{1}\u{1}", "is truncated"),
  ])
  func otherProgramsAreRefused(program: String, problem: String) {
    #expect { try Pickle(Self.pickle(program), path: "x") } throws: {
      "\($0)".hasPrefix("x: ") && "\($0)".contains(problem)
    }
  }

  @Test func lengthsBeyondTheFileAreRefused() {
    for program: [UInt8] in [
      [0x8d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0x8e, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
      [0x54, 0xff, 0xff, 0xff, 0xff], [0x42, 0xff, 0xff, 0xff, 0xff], [0x8b, 0xff, 0xff, 0xff, 0x7f],
    ] {
      #expect { try Pickle(Data([0x80, 4] + program + [0x2e]), path: "x") } throws: { "\($0)".contains("is truncated") }
    }
  }

  @Test func aPickleOfMoreOperationsThanTheLimitIsRefused() throws {
    let program = String(repeating: ")", count: 99) + "."
    #expect(throws: Never.self) { try Pickle(Self.pickle(program), path: "x", operationLimit: 100) }
    #expect { try Pickle(Self.pickle(program), path: "x", operationLimit: 99) } throws: {
      "\($0)".contains("more operations than the limit of 99")
    }
  }

  @Test func deepNestingDoesNotExhaustTheStack() throws {
    let depth = 1_000_000
    let pickle = try Pickle(Data([0x80, 2, 0x29] + [UInt8](repeating: 0x85, count: depth) + [0x2e]), path: "x")
    #expect(pickle.elements(pickle.root)?.count == 1)
  }

  @Test func dataWithoutThePickleHeaderAreRefused() {
    for bytes: [UInt8] in [[], [0x80], [0x80, 1, 0x2e], [0x80, 6, 0x2e], Array("(lp0\n.".utf8)] {
      #expect(throws: InterchangeError.self) { try Pickle(Data(bytes), path: "x") }
    }
  }
}
