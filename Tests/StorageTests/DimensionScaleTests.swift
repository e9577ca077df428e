import HDF5
import TestSupport
import Testing

extension StorageTests {
  /// The attributes by which other programs know dimensions; scripts/test/peers/netcdf.sh opens such files with them.
  @Suite(.serialized) struct DimensionScaleTests {
    @Test func dimensionsAreDeclaredByTheirAttributes() throws {
      let folder = try TemporaryFolder()
      let path = folder.path("scales.h5")
      let file = try HDF5File.create(path)
      do {
        let y = try file.createDataset("y", shape: [3], type: .float64)
        try y.writeAll([0.5, 1.5, 2.5])
        try y.makeScale("y")
        let x = try file.createDimension("x", length: 4)
        #expect(try x.readAll(as: UInt8.self) == [0, 0, 0, 0])
        for name in ["u", "v"] {
          let values = try file.createDataset(name, shape: [3, 4], type: .float32)
          try values.writeAll((0..<12).map(Float.init))
          try values.attachScale(y, to: 0)
          try values.attachScale(x, to: 1)
        }
      }
      #expect(try file.readAttribute("CLASS", of: "y", as: String.self) == "DIMENSION_SCALE")
      #expect(try file.readAttribute("NAME", of: "y", as: String.self) == "y")
      #expect(
        try file.readAttribute("NAME", of: "x", as: String.self)
          == "This is a netCDF dimension but not a netCDF variable.         4")
      #expect(try file.openDataset("v").readAll(as: Float.self) == (0..<12).map(Float.init))
      try file.close()

      guard let list = try output(of: "h5dump", ["-a", "/v/DIMENSION_LIST", path]) else { return }
      let dimensions = list.matches(of: #/DATASET \d+ "([^"]+)"/#).map { String($0.1) }
      #expect(dimensions == ["/y", "/x"], "\(list)")
      let back = try #require(try output(of: "h5dump", ["-a", "/x/REFERENCE_LIST", path]))
      #expect(back.contains("\"/u\"") && back.contains("\"/v\""), "\(back)")
    }

    @Test func scalesThatDoNotFitAreRefused() throws {
      let folder = try TemporaryFolder()
      let path = folder.path("scales.h5")
      let file = try HDF5File.create(path)
      let values = try file.createDataset("u", shape: [3, 4], type: .float32)
      let matrix = try #require(throws: HDF5Error.self) { try values.makeScale("u") }
      #expect(matrix.reason == .wrongType)
      #expect(matrix.message.contains("[3, 4]"))
      let x = try file.createDimension("x", length: 4)
      let length = try #require(throws: HDF5Error.self) { try values.attachScale(x, to: 0) }
      #expect(length.message == "its dimension 0 has 3 elements, and \(path):x [4]")
      let plain = try file.createDataset("plain", shape: [3], type: .float32)
      try plain.attachScale(try file.createDimension("y", length: 3), to: 0)
      // What has dimensions of its own cannot be one.
      #expect(throws: HDF5Error.self) { try plain.makeScale("plain") }
    }
  }
}
