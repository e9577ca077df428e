import Foundation
import Interchange
import Testing

@Suite struct SafetensorsTests {
  private let tensors = [
    Safetensors.Tensor("b.weight", shape: [2, 3], [1, -2, 3.5, 0, .infinity, .leastNonzeroMagnitude]),
    Safetensors.Tensor("a", shape: [], [7]),
    Safetensors.Tensor("empty", shape: [0, 4], []),
  ]

  private func file(header: String, data: [UInt8] = []) -> Data {
    var contents = Data()
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { contents.append(contentsOf: $0) }
    return contents + Data(header.utf8) + Data(data)
  }

  @Test func writtenFilesAreReadBack() throws {
    let contents = Safetensors.contents(of: tensors, metadata: ["format": "pt"])
    let read = try Safetensors(contents, path: "x")
    #expect(read.metadata == ["format": "pt"])
    #expect(read.entries.map(\.name) == ["a", "b.weight", "empty"])
    for tensor in tensors {
      #expect(read[tensor.name]?.shape == tensor.shape)
      #expect(try read.floats(tensor.name) == tensor.values)
    }
  }

  @Test func elementsAreAlignedToEightBytes() throws {
    for name in ["x", "xy", "xyz", "wxyz", "vwxyz"] {
      let contents = Safetensors.contents(of: [Safetensors.Tensor(name, shape: [1], [1])])
      #expect((contents.count - 4) % 8 == 0)
    }
  }

  @Test func otherPrecisionsAreRead() throws {
    let half: [UInt8] = [0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0x00, 0x7c, 0xff, 0x7b]
    let header = """
      {"h":{"dtype":"F16","shape":[5],"data_offsets":[0,10]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[10,12]},\
      "d":{"dtype":"F64","shape":[1],"data_offsets":[12,20]},"i":{"dtype":"I64","shape":[],"data_offsets":[20,28]}}
      """
    let double = withUnsafeBytes(of: (0.1).bitPattern.littleEndian) { Array($0) }
    let read = try Safetensors(
      file(header: header, data: half + [0x80, 0x3f] + double + [1, 0, 0, 0, 0, 0, 0, 0]), path: "x")
    #expect(try read.floats("h") == [1, -2, 0x1p-24, .infinity, 65504])
    #expect(try read.floats("b") == [1])
    #expect(try read.floats("d") == [0.1])
    #expect(read["i"]?.type == "I64")
    #expect(throws: InterchangeError.self) { try read.floats("i") }
    #expect(throws: InterchangeError.self) { try read.floats("missing") }
  }

  @Test(arguments: [
    #"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
    #"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
    #"{"t":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
    #"{"t":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}"#,
    #"{"t":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#,
    #"{"t":{"dtype":"F32","shape":[1]}}"#, #"{"t":3}"#, "[]", "{",
  ]) func aHeaderThatDoesNotFitIsRefused(header: String) {
    #expect(throws: InterchangeError.self) { try Safetensors(file(header: header, data: [0, 0, 0, 0]), path: "x") }
  }

  @Test func aFileTruncatedAnywhereIsRefused() throws {
    let contents = Safetensors.contents(of: tensors)
    for count in 0..<contents.count {
      #expect(throws: InterchangeError.self) { try Safetensors(contents.prefix(count), path: "x") }
    }
  }

  @Test func aMissingFileIsNamed() {
    #expect { try Safetensors(readingFrom: "/nowhere/x.safetensors") } throws: {
      "\($0)".contains("/nowhere/x.safetensors: there is no such file")
    }
  }
}
