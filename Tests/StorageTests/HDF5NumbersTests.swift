import Compression
import Foundation
import HDF5
import TestSupport
import Testing

extension StorageTests {
  /// Numbers of any type, boxes of datasets, and dimension scales.
  @Suite struct HDF5NumbersTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func numbersOfEveryWidthAndByteOrderAreRead() throws {
      let packed = try folder.write([UInt8](try #require(Data(base64Encoded: typesByH5py))), to: "types.h5.gz")
      let file = try HDF5File.open(try folder.write(try gunzip(contentsOf: packed), to: "types.h5"))
      for name in try file.names(in: "numbers") {
        #expect(try file.openNumbers("numbers/\(name)").read([0..<4]) == [100, 0, 3, 2], "\(name)")
        #expect(try file.openNumbers("numbers/\(name)").read([1..<3]) == [0, 3], "\(name)")
      }
      #expect(try file.openNumbers("booleans").storage == .boolean)
      #expect(try file.openNumbers("booleans").read([0..<2]) == [1, 0])
      for name in ["fixed", "numbers"] {
        let error = #expect(throws: HDF5Error.self) { _ = try file.openNumbers(name) }
        #expect(error?.reason == .wrongType, "\(name)")
        if name == "fixed" { #expect(error?.message == "its elements are texts, not numbers") }
      }
      try file.close()
    }

    @Test func boxesAreReadInRowMajorOrder() throws {
      let file = try HDF5File.create(folder.path("box.h5"))
      let dataset = try file.createDataset("a", shape: [3, 4, 5], type: .float32)
      try dataset.writeAll((0..<60).map { Float($0) })
      try dataset.close()
      let numbers = try file.openNumbers("a")
      #expect(numbers.shape == [3, 4, 5] && numbers.storage == .float(byteCount: 4) && numbers.chunkShape == nil)
      #expect(numbers.storage.description == "float32" && !numbers.isMostlyUnwritten())
      #expect(try numbers.read([1..<3, 2..<3, 1..<4]) == [31, 32, 33, 51, 52, 53])
      #expect(
        try numbers.read([0..<2, 0..<4, 4..<5], choosing: (axis: 1, indices: [0, 3])) == [4, 19, 24, 39])
      #expect(try numbers.read([0..<0, 0..<4, 0..<5]) == [])
    }

    @Test func attributesOfSeveralNumbersAreRead() throws {
      let file = try HDF5File.create(folder.path("attributes.h5"))
      try file.writeAttribute("one", 1.5)
      try file.writeAttribute("whole", Int64(-7))
      try file.writeAttribute("text", "1.5")
      #expect(try file.readAttribute("one", as: [Double].self) == [1.5])
      #expect(try file.readAttribute("whole", as: [Double].self) == [-7])
      let error = #expect(throws: HDF5Error.self) { _ = try file.readAttribute("text", as: [Double].self) }
      #expect(error?.reason == .wrongType)
      try file.close()
    }

    @Test func textsOfOtherProgramsMayBeInLatin1() throws {
      let file = try HDF5File.create(folder.path("units.h5"))
      try file.writeAttribute("units", "\u{b0}C")
      #expect(try file.readForeignText("units") == "\u{b0}C")
      try file.close()
      var bytes = try [UInt8](Data(contentsOf: URL(filePath: folder.path("units.h5"))))
      let text = Array("\u{b0}C".utf8)
      let position = bytes.indices.first { bytes[$0...].starts(with: text) }
      let start = try #require(position)
      // What is left of the character in UTF-8 is the one in Latin-1.
      bytes[start] = UInt8(ascii: "m")
      let latin1 = try HDF5File.open(try folder.write(bytes, to: "latin1.h5"))
      #expect(try latin1.readForeignText("units") == "m\u{b0}C")
      let error = #expect(throws: HDF5Error.self) { _ = try latin1.readAttribute("units", as: String.self) }
      #expect(error?.reason == .wrongType)
      try latin1.close()
    }

    @Test func dimensionLabelsAreEmptyWhereThereAreNone() throws {
      let file = try HDF5File.create(folder.path("labels.h5"))
      for name in ["a", "b", "c"] {
        let dataset = try file.createDataset(name, shape: [1, 2], type: .float32)
        try dataset.writeAll([1, 2] as [Float])
        try dataset.close()
      }
      try file.writeAttribute("DIMENSION_LABELS", ["time", ""], of: "a")
      try file.writeAttribute("DIMENSION_LABELS", ["time"], of: "b")
      #expect(try file.dimensionLabels(of: "a") == ["time", ""])
      #expect(try file.dimensionLabels(of: "b") == ["", ""] && file.dimensionLabels(of: "c") == ["", ""])
      try file.close()
    }

    @Test func onlyAFillValueThatWasChosenCounts() throws {
      let file = try HDF5File.create(folder.path("fill.h5"))
      let dataset = try file.createDataset("a", shape: [2], type: .int32)
      try dataset.writeAll([1, 2] as [Int32])
      try dataset.close()
      #expect(try file.openNumbers("a").chosenFill() == nil)
    }

    @Test func dimensionScalesAreFoundByReference() throws {
      let packed = try folder.write([UInt8](try #require(Data(base64Encoded: scalesByH5py))), to: "scales.h5.gz")
      let file = try HDF5File.open(try folder.write(try gunzip(contentsOf: packed), to: "scales.h5"))
      #expect(try file.dimensionScales(of: "u") == [nil, "/grid/lat", "/lon"])
      #expect(try file.dimensionScales(of: "lon") == [nil])
      #expect(try file.isDimensionScale("lon") && !file.isDimensionScale("u"))
      try file.close()
    }

    @Test func theSignatureMayFollowAUserBlock() throws {
      try HDF5File.create(folder.path("a.h5")).close()
      let bytes = try [UInt8](Data(contentsOf: URL(filePath: folder.path("a.h5"))))
      #expect(HDF5File.isHDF5(folder.path("a.h5")))
      #expect(HDF5File.isHDF5(try folder.write([UInt8](repeating: 0, count: 1024) + bytes, to: "user.h5")))
      #expect(!HDF5File.isHDF5(try folder.write([UInt8](repeating: 0, count: 600) + bytes, to: "none.h5")))
      #expect(!HDF5File.isHDF5(folder.path) && !HDF5File.isHDF5("/nowhere.h5"))
    }
  }
}

/// Created with h5py: `u` [2, 3, 4], whose second and third dimensions have the scales grid/lat and lon.
private let scalesByH5py = """
  H4sIAAAAAAACA+1ZsW4aQRCdvTvwYS4CK1LAkZ1QUlK4oDMIloAEh8W5SOcgYSVIhCAbS+7SJl0+I2XKlJT5hHxCyvwBvmNn4PYIPjlKLCPPa+Zmdm\
  d3dft2Zm/uc7PeeLL7fBcC2DZYkIUw5ojSC12n9jcoBcpPKL8aZBeLtjza93D8aL/TnpRB73kENM8XS0kbGI8RTVk9CeRr1Asofxh6vyuUby+Gg0CO\
  Pow1fpbvOK+AHeUrSFcjCFMZaHoTJdJ0o930T0LguVd4ibYC5GzIfcT2hM/woN0wDKH4rk6OKUqWfuIUsnieyo7Sr5ctJ1u5z57brQv/LS2j0I4eX4\
  qoN1NKUlyx07ePS3GjYD6O8yIgFeGtelNCCI2X5hovj/FdVeAoDUdzM46Xv5L6Tig4UMJ5k35fG2rtquf5+tMFZ1f7WW91pOu1uu6ZV6u2pe9XRL/E\
  ws+tdiSgnxXyG/WnGv+/HSj7bG3H/4Tfx/hQ2ZSfojyLy0+zFOcnzk+r/ETx611K70e8JR43/0m8FEve/UzwXvyPeGltzON3jZd5R7/B3FO8xHsQxc\
  vJ4d/FS+xbcWCC82b8EfOhdbVb3inAPq47hyNvyjvr++DHcmf1HNaDO9WrWrctQgdMRFZP/Dci9uj9YJZhzjMYDAaDwWAwGAwGg/FQ4cB3/O7PwBTy\
  0JMN2ZNuTWLd4ZmhSgOD/rR/eT6NHY/qE4Ph+/Px5RCrJPF13GAO+n+zWA/WN6geQZL+N4gtXz/VU24AwBITFzAeAAA=
  """
