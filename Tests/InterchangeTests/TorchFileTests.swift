import Foundation
import Interchange
import TestSupport
import Testing

@Suite struct TorchFileTests {
  private static func fixture(_ name: String) throws -> Data {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
    return try Data(contentsOf: folder.appendingPathComponent(name))
  }

  @Test(arguments: ["zip.pth", "legacy.pth"])
  func tensorsOfBothFormatsAreRead(name: String) throws {
    let file = try TorchFile(try Self.fixture(name), path: name)
    #expect(
      file.names == [
        "brain", "double", "empty", "half", "parameter", "part", "plain", "scalar", "steps", "turned",
      ])
    #expect(file.shape(of: "plain") == [2, 2] && file.shape(of: "scalar") == [] && file.shape(of: "epoch") == nil)
    #expect(try file.floats("plain") == [1.5, -2, 0.25, 3])
    #expect(file.shape(of: "turned") == [4, 3])
    #expect(try file.floats("turned") == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
    #expect(try file.floats("part") == [5, 6, 9, 10])
    #expect(try file.floats("scalar") == [7] && file.floats("empty") == [] && file.floats("parameter") == [4])
    #expect(try file.floats("half") == [1, -0.5] && file.floats("brain") == [1, -0.5])
    #expect(try file.floats("double") == [0.1])
    #expect { try file.floats("steps") } throws: { "\($0)".contains("steps has elements of type torch.LongStorage") }
    #expect { try file.floats("none") } throws: { "\($0)".contains("has no tensor none") }
  }

  @Test func contentsDetermineTheFormat() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("tensors.safetensors")
    for name in ["zip.pth", "legacy.pth"] {
      try Self.fixture(name).write(to: URL(fileURLWithPath: path))
      #expect(try tensorFile(readingFrom: path).floats("scalar") == [7])
    }
    try Safetensors.contents(of: [.init("scalar", shape: [], [7])]).write(to: URL(fileURLWithPath: path))
    #expect(try tensorFile(readingFrom: path).floats("scalar") == [7])
  }

  @Test func aViewThatRepeatsElementsIsRefusedBeforeAllocation() throws {
    #expect { try TorchFile(try Self.fixture("expanded.pth"), path: "x") } throws: {
      "\($0)".contains("spread of shape [1099511627776], strides [0]") && "\($0)".contains("save a contiguous copy")
    }
  }

  @Test func otherPicklesAndArchivesAreRefused() throws {
    let empty = Data([0x80, 2, UInt8(ascii: "}"), UInt8(ascii: ".")])
    #expect { try TorchFile(empty, path: "x") } throws: { "\($0)".contains("is a pickle, but not a PyTorch file") }
    let archive = try NumpyArchive.contents(of: [.init("mu", shape: [1], [1])], path: "x")
    #expect { try TorchFile(archive, path: "x") } throws: { "\($0)".contains("without the data.pkl") }
  }

  @Test(arguments: ["zip.pth", "legacy.pth"])
  func aFileTruncatedAnywhereIsRefused(name: String) throws {
    let contents = try Self.fixture(name)
    for count in 0..<contents.count {
      #expect(throws: InterchangeError.self, "after \(count) bytes") {
        try TorchFile(Data(contents.prefix(count)), path: "x")
      }
    }
  }

  @Test(arguments: ["zip.pth", "legacy.pth"])
  func aFileChangedAnywhereIsReadOrRefused(name: String) throws {
    let contents = try Self.fixture(name)
    for index in contents.indices {
      for change: UInt8 in [0x01, 0x10, 0x80, 0xff] {
        var changed = contents
        changed[index] ^= change
        guard let file = try? TorchFile(changed, path: "x") else { continue }
        for name in file.names { _ = try? file.floats(name) }
      }
    }
  }
}
