import Compression
import Foundation
import HDF5
import TestSupport
import Testing

extension StorageTests {
  /// Types that h5py writes but this program does not.
  @Suite struct HDF5TypesTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
      folder = try TemporaryFolder()
      let packed = try folder.write([UInt8](try #require(Data(base64Encoded: typesByH5py))), to: "types.h5.gz")
      path = try folder.write(try gunzip(contentsOf: packed), to: "types.h5")
    }

    @Test func wholeNumbersOfEveryWidthAndByteOrderAreRead() throws {
      let file = try HDF5File.open(path)
      let names = try file.names(in: "numbers")
      #expect(names.count == 14)
      for name in names {
        #expect(try file.integerShape("numbers/\(name)") == [4])
        #expect(try file.readIntegers("numbers/\(name)") == [100, 0, 3, 2], "\(name)")
      }
      #expect(try file.readIntegers("booleans") == [1, 0])
      #expect(try file.integerShape("column") == [2, 1])
      #expect(try file.readIntegers("column") == [2, 1])
      for name in ["large", "fractions", "texts", "numbers"] {
        let error = #expect(throws: HDF5Error.self) { _ = try file.readIntegers(name) }
        #expect(error?.reason == .wrongType, "\(name)")
      }
      try file.close()
    }

    @Test func stringsOfFixedAndVariableLengthAreRead() throws {
      let file = try HDF5File.open(path)
      #expect(try file.readTexts("fixed") == ["cat", "dög", "cat"])
      #expect(try file.readTexts("variable") == ["cat", "dög", ""])
      #expect(try file.readAttribute("fixed", as: [String].self) == ["cat", "dög", "cat"])
      #expect(try file.readAttribute("variable", as: [String].self) == ["cat", "dög", ""])
      for name in ["latin", "yes"] {
        let error = #expect(throws: HDF5Error.self) { _ = try file.readAttribute(name, as: [String].self) }
        #expect(error?.reason == .wrongType, "\(name)")
      }
      #expect(throws: HDF5Error.self) { _ = try file.readTexts("column") }
      try file.close()
    }

    @Test func booleansAreNumbers() throws {
      let file = try HDF5File.open(path)
      #expect(try file.readAttribute("yes", as: Int64.self) == 1)
      #expect(try file.readAttribute("no", as: Int64.self) == 0)
      try file.close()
    }

    @Test func aFilterThatIsMissingIsNamed() throws {
      let file = try HDF5File.open(path)
      #expect(try file.openDataset("deflated").missingFilter() == nil)
      #expect(try file.openDataset("column").missingFilter() == nil)
      // The plugin may be installed.
      let filter = try file.openDataset("lzf").missingFilter()
      if let filter { #expect(filter.description == "LZF (HDF5 filter 32000)") }
      try file.close()
    }
  }
}
