import Foundation
import Interchange
import TestSupport
import Testing

/// Arrays that are read piece by piece.
@Suite struct NumpyNumbersTests {
  private let folder: TemporaryFolder
  private let values = (0..<100_000).map { Double($0) * 0.5 }

  init() throws { folder = try TemporaryFolder() }

  private func archive() throws -> String {
    let arrays = [
      NumpyArchive.Array("b", shape: [1000, 100], values), NumpyArchive.Array("a", integer: 7),
      NumpyArchive.Array("text", text: "not numbers"),
    ]
    let path = folder.path("arrays.npz")
    try NumpyArchive.contents(of: arrays, path: path).write(to: URL(filePath: path))
    return path
  }

  @Test func arraysOfNumbersAreFound() throws {
    let (arrays, otherTypes) = try NumpyNumbers.arrays(in: archive())
    #expect(otherTypes == ["text": "<U11"])
    #expect(arrays.map(\.name) == ["a", "b"] && arrays.map(\.shape) == [[], [1000, 100]])
    #expect(try arrays[0].values(0..<1, as: Double.self) == [7])
    #expect(arrays[1].type == NumberType(numpyName: "<f8") && !arrays[1].type.isByte)
  }

  @Test func piecesAreReadForwardsAndBackwards() throws {
    let array = try NumpyNumbers.arrays(in: archive()).numbers[1]
    for range in [0..<10, 50_000..<50_003, 99_999..<100_000, 20..<20, 5..<70_000] {
      #expect(try array.values(range, as: Double.self) == Array(values[range]))
    }
  }

  @Test func damageIsFoundAtTheEndAtTheLatest() throws {
    let path = try archive()
    var bytes = try [UInt8](Data(contentsOf: URL(filePath: path)))
    bytes[bytes.count / 2] ^= 1
    try folder.write(bytes, to: "arrays.npz")
    let array = try NumpyNumbers.arrays(in: path).numbers[1]
    let error = #expect(throws: InterchangeError.self) { try array.values(0..<100_000, as: Float.self) }
    #expect(error?.problem.contains("its member b.npy is damaged") == true)
    try folder.write(Array(bytes.prefix(bytes.count / 2)), to: "arrays.npz")
    #expect(throws: InterchangeError.self) { _ = try NumpyNumbers.arrays(in: path) }
  }

  @Test(arguments: ["<c8", "|b8", "<U4", "<f16", "<M8", "|O", "<f1", "<i3", ""])
  func otherTypesAreNotNumbers(name: String) {
    #expect(NumberType(numpyName: name) == nil)
  }

  @Test(arguments: ["<f2", ">f4", "<f8", "|i1", "|u1", ">u2", "<i4", ">u8", "|b1"])
  func typesOfNumbersAreKnown(name: String) {
    #expect(NumberType(numpyName: name)?.byteCount == Int(String(name.last ?? "0")))
  }
}
