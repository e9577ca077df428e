import Datasets
import Foundation
import HDF5
import Interchange
import Tensors
import TestSupport
import Testing

extension DatasetFileTests {
  /// Files of fields, written by this test.
  @Suite struct FieldSourceTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    func selection(
      _ variables: String..., order: FieldOrder? = nil, levels: [Double] = []
    ) -> FieldSelection {
      var selection = FieldSelection()
      selection.variables = variables
      selection.order = order
      selection.levels = levels
      return selection
    }

    func failure(_ path: String, _ selection: FieldSelection) -> DatasetError? {
      #expect(throws: DatasetError.self) { _ = try FieldFile.open(path, selection) }
    }

    /// Variables a and b, [3, 4, 5], with coordinates of y.
    func twoVariables(
      _ name: String = "two.h5", attributes: (borrowing HDF5File) throws -> Void = { _ in }
    ) throws -> String {
      try writeHDF5(
        folder.path(name),
        [
          ("b", [3, 4, 5], fieldValues(3, 4, 5, channel: 1)), ("a", [3, 4, 5], fieldValues(3, 4, 5)),
          ("lat", [4], [40, 30, 20, 10]), ("other", [4], [1, 2, 3, 4]),
        ], attributes: attributes)
      return folder.path(name)
    }

    @Test func variablesBecomeChannelsInTheOrderAskedFor() throws {
      let path = try twoVariables { file in
        try file.writeAttribute("units", "m s-1", of: "b")
        try file.writeAttribute("long_name", "wind", of: "b")
        try file.writeAttribute("standard_name", "northward_wind", of: "b")
        try file.writeAttribute("standard_name", "eastward_wind", of: "a")
        try file.writeAttribute("units", "degrees_north", of: "lat")
      }
      let (a, b) = (fieldValues(3, 4, 5), fieldValues(3, 4, 5, channel: 1))
      let all = try FieldFile.open(path, FieldSelection())
      #expect(all.channels.map(\.name) == ["a", "b"])
      #expect(try allValues(all) == interleaved([a, b]))
      let chosen = try FieldFile.open(path, selection("b", "a"))
      #expect(chosen.count == 3 && chosen.height == 4 && chosen.width == 5)
      #expect(
        chosen.channels == [
          FieldChannel(name: "b", units: "m s-1", longName: "wind"),
          FieldChannel(name: "a", longName: "eastward_wind"),
        ])
      #expect(chosen.coordinates.y == FieldAxis(name: "lat", units: "degrees_north", values: [40, 30, 20, 10]))
      #expect(chosen.coordinates.x == nil)
      #expect(try allValues(chosen) == interleaved([b, a]))
      let part = Tensor(uninitialised: [1, 4, 5, 2])
      try chosen.read(1..<2, into: part)
      #expect(part.elements == Array(interleaved([b, a])[40..<80]))
    }

    @Test func aFileIsOneOfFieldsUnlessItHoldsImagesOrBytes() throws {
      #expect(FieldFile.isRecognised(try twoVariables()))
      let images = folder.path("images.h5")
      try writeHDF5(images, [("images", [3, 4, 5], fieldValues(3, 4, 5)), ("a", [3, 4, 5], fieldValues(3, 4, 5))])
      #expect(!FieldFile.isRecognised(images))
      let bytes = try HDF5File.create(folder.path("bytes.h5"))
      try bytes.createDataset("x", shape: [2, 2, 2], type: .uint8).writeAll((0..<8).map { UInt8($0) })
      try bytes.close()
      #expect(!FieldFile.isRecognised(folder.path("bytes.h5")))
      #expect(!FieldFile.isRecognised("/nowhere.h5") && !FieldFile.isRecognised(folder.path))
      let floats = try folder.write(numpyFile("<f4", [1, 2, 2], [UInt8](repeating: 0, count: 16)), to: "floats.npy")
      #expect(FieldFile.isRecognised(floats))
      let byteArray = try folder.write(numpyFile("|u1", [1, 2, 2], [0, 1, 2, 3]), to: "bytes.npy")
      #expect(!FieldFile.isRecognised(byteArray))
    }

    @Test func storedNumbersAreUnpackedAndFillValuesAreMissing() throws {
      let values = [-999.0, 2, 3, 1e20, 0x1.ep+122, 6, .nan, .infinity]
      let path = folder.path("packed.h5")
      try writeHDF5(
        path, [("a", [1, 2, 4], values), ("b", [1, 2, 4], values), ("c", [1, 2, 4], values)]
      ) { file in
        try file.writeAttribute("scale_factor", 0.5, of: "a")
        try file.writeAttribute("add_offset", 10.0, of: "a")
        try file.writeAttribute("_FillValue", -999.0, of: "a")
        try file.writeAttribute("missing_value", 1e20, of: "a")
        try file.writeAttribute("missing_value", 3.0, of: "b")
      }
      let source = try FieldFile.open(path, selection("a", "b", "c"))
      let read = try allValues(source)
      func channel(_ channel: Int) -> [Float] { (0..<8).map { read[3 * $0 + channel] } }
      func expect(_ channel: [Float], _ expected: [Double]) {
        for (value, expected) in zip(channel, expected) {
          #expect(value == Float(expected) || (value.isNaN && expected.isNaN), "\(value) is not \(expected)")
        }
      }
      // Only without a fill value of its own does a variable have NetCDF's usual one; a missing value is none.
      expect(channel(0), [.nan, 11, 11.5, .nan, 0x1.ep+121 + 10, 13, .nan, .infinity])
      expect(channel(1), [-999, 2, .nan, 1e20, .nan, 6, .nan, .infinity])
      expect(channel(2), [-999, 2, 3, 1e20, .nan, 6, .nan, .infinity])
    }

    @Test func integersOfOtherProgramsThanNetCDFsAreAllValid() throws {
      let file = try HDF5File.create(folder.path("integers.h5"))
      try file.createDataset("a", shape: [1, 1, 3], type: .int32).writeAll([-2_147_483_647, 0, -1] as [Int32])
      try file.createDataset("b", shape: [1, 1, 3], type: .int32).writeAll([-3, 0, -1] as [Int32])
      try file.writeAttribute("_Unsigned", "true", of: "b")
      // As an unsigned number, which is stored as −3.
      try file.writeAttribute("_FillValue", 4_294_967_293.0, of: "b")
      try file.close()
      let values = try allValues(FieldFile.open(folder.path("integers.h5"), FieldSelection()))
      #expect(values[0] == -0x1p31 && values[1].isNaN && values[5] == 0x1p32)
    }

    @Test func levelsBecomeChannels() throws {
      let values = fieldValues(2, 3 * 4, 5)
      let path = folder.path("levels.h5")
      // [2, 3, 4, 5]: level, then y.
      try writeHDF5(path, [("z", [2, 3, 4, 5], values), ("level", [3], [500, 850, 0.995])])
      let error = failure(path, FieldSelection())
      #expect(error?.kind == .wrongDimensions && error?.advice.contains("--order nchw") == true)
      func level(_ level: Int) -> [Double] {
        (0..<2).flatMap { sample in Array(values[((sample * 3) + level) * 20..<((sample * 3) + level + 1) * 20]) }
      }
      let all = try FieldFile.open(path, selection(order: .nchw))
      #expect(all.channels.map(\.name) == ["z_500", "z_850", "z_0.995"])
      #expect(try allValues(all) == interleaved([level(0), level(1), level(2)]))
      let chosen = try FieldFile.open(path, selection("z", order: .nchw, levels: [0.995, 500]))
      #expect(chosen.channels.map(\.name) == ["z_0.995", "z_500"])
      #expect(try allValues(chosen) == interleaved([level(2), level(0)]))
      #expect(
        failure(path, selection(order: .nchw, levels: [700]))?.problem == "z has no level 700, but 500, 850, 0.995")
    }

    @Test func levelsInSinglePrecisionHaveTheirShortestNames() throws {
      let path = folder.path("depths.h5")
      try writeHDF5(path, [("t", [2, 3, 4, 5], fieldValues(2, 3 * 4, 5))]) { file in
        let depths = try file.createDataset("depth", shape: [3], type: .float32)
        try depths.writeAll([0.494025, 1.541375, 10] as [Float])
        try depths.close()
      }
      let all = try FieldFile.open(path, selection(order: .nchw))
      #expect(all.channels.map(\.name) == ["t_0.494025", "t_1.541375", "t_10"])
      let chosen = try FieldFile.open(path, selection("t", order: .nchw, levels: [1.541375, 0.494025]))
      #expect(chosen.channels.map(\.name) == ["t_1.541375", "t_0.494025"])
      #expect(
        failure(path, selection(order: .nchw, levels: [0.5]))?.problem
          == "t has no level 0.5, but 0.494025, 1.541375, 10")
    }

    @Test func channelsMayBeLast() throws {
      let channels = [fieldValues(2, 3, 4), fieldValues(2, 3, 4, channel: 1)]
      let path = folder.path("last.h5")
      try writeHDF5(path, [("data", [2, 3, 4, 2], interleaved(channels).map { Double($0) })])
      let source = try FieldFile.open(path, selection(order: .nhwc))
      #expect(source.channels.map(\.name) == ["data_0", "data_1"])
      #expect(try allValues(source) == interleaved(channels))
    }

    @Test func arraysOfMATLABHaveTheOppositeOrder() throws {
      // Of size [2, 3, 4] in MATLAB: its first index varies fastest in the file.
      let values = fieldValues(2, 3, 4)
      let stored = (0..<24).map { (index: Int) -> Double in values[index % 2 * 12 + index / 2 % 3 * 4 + index / 6] }
      let path = folder.path("a.mat")
      try writeHDF5(path, [("u", [4, 3, 2], stored), ("lat", [1, 3], [1, 2, 3])]) { file in
        try file.writeAttribute("MATLAB_class", "double", of: "u")
      }
      let source = try FieldFile.open(path, FieldSelection())
      #expect(source.count == 2 && source.height == 3 && source.width == 4)
      #expect(source.coordinates.y?.values == [1, 2, 3])
      #expect(try allValues(source) == values.map { Float($0) })
      let last = try FieldFile.open(path, selection(order: .hwcn))
      #expect(last.count == 4 && last.height == 2 && last.width == 3)
      let first = stride(from: 0, to: 24, by: 4).map { Float(values[$0]) }
      #expect(try Array(allValues(last)[0..<6]) == first)
    }

    @Test func filesThatAreNoFieldsAreRefusedWithARemedy() throws {
      let path = try twoVariables()
      let error = failure(path, selection("a", "w"))
      #expect(error?.kind == .unknownName && error?.problem == "it has no variable w, but a, b")
      #expect(failure(path, selection("lat"))?.problem == "lat has the shape [4]")
      #expect(failure(path, selection("a", levels: [1]))?.advice == "remove --levels")
      let grids = folder.path("grids.h5")
      try writeHDF5(grids, [("a", [1, 2, 2], [1, 2, 3, 4]), ("b", [1, 1, 4], [1, 2, 3, 4])])
      #expect(failure(grids, FieldSelection())?.problem.contains("b has the shape [1, 1, 4]") == true)
      try writeHDF5(folder.path("flat.h5"), [("a", [2, 2], [1, 2, 3, 4])])
      #expect(failure(folder.path("flat.h5"), FieldSelection())?.kind == .wrongLayout)
      #expect(failure(folder.path("none.h5"), FieldSelection())?.kind == .missing)
      let text = try folder.write(Array("text".utf8), to: "text.h5")
      #expect(failure(text, FieldSelection())?.kind == .wrongMagic)
      #expect(failure(folder.path, FieldSelection())?.kind == .wrongMagic)
    }

    @Test(arguments: [
      ("CDF\u{1}", "classic NetCDF", "nccopy"), ("CDF\u{2}", "classic NetCDF", "nccopy"),
      ("CDF\u{5}", "classic NetCDF", "nccopy"), ("GRIB", "GRIB", "cdo -f nc4"),
      ("\u{1}\r\r\n123\r\r\nHTXX01 EGRR 010000\r\r\nGRIB\0\0\0\u{2}", "GRIB", "cdo -f nc4"),
      ("MATLAB 5.0 MAT-file", "MATLAB before", "-v7.3"), ("\u{e}\u{3}\u{13}\u{1}", "HDF4", "h4toh5"),
    ])
    func otherFormatsAreRefusedByNameWithTheCommandThatConverts(start: String, name: String, command: String) throws {
      let path = try folder.write(Array(start.utf8) + [UInt8](repeating: 0, count: 100), to: "data")
      let error = failure(path, FieldSelection())
      #expect(error?.problem.contains("is \(name)") == true && error?.advice.contains(command) == true)
      #expect(error?.advice.contains("images") == false)
    }

    @Test func formatsOfImagesAreRefusedWithAdviceForFields() throws {
      let path = try folder.write(Array("PAR1".utf8), to: "fields.parquet")
      #expect(failure(path, FieldSelection())?.advice.contains("numpy.savez(\"fields.npz\"") == true)
    }

    @Test(arguments: ["empty.npy", "empty.npz", "empty.nc", "empty.h5"])
    func filesWithoutBytesAreEmpty(name: String) throws {
      let error = failure(try folder.write([], to: name), FieldSelection())
      #expect(error?.problem == "it is empty" && error?.kind == .wrongMagic)
    }

    @Test func zarrFoldersAreRefusedByName() throws {
      try folder.createFolder("cube.zarr")
      try folder.write([], to: "cube.zarr/zarr.json")
      #expect(failure(folder.path("cube.zarr"), FieldSelection())?.problem.contains("is Zarr") == true)
      // Without metadata of its own, a folder of arrays.
      try folder.createFolder("plain/u")
      try folder.write([], to: "plain/u/.zarray")
      #expect(failure(folder.path("plain"), FieldSelection())?.problem.contains("is Zarr") == true)
      let named = try folder.write(Array("PK".utf8), to: "cube.zarr.zip")
      #expect(failure(named, FieldSelection())?.problem.contains("is Zarr") == true)
    }

    @Test func aDamagedFileIsRefusedOrRead() throws {
      let path = try twoVariables()
      let whole = try [UInt8](Data(contentsOf: URL(filePath: path)))
      for position in stride(from: 40, to: min(whole.count, 2048), by: 151) {
        var bytes = whole
        bytes[position] ^= 1 << (position % 8)
        try folder.write(bytes, to: "two.h5")
        do { _ = try allValues(FieldFile.open(path, FieldSelection())) } catch is DatasetError {}
      }
    }

    // MARK: NumPy

    @Test func arraysOfEveryKindBecomeSinglePrecision() throws {
      func read(_ type: String, _ bytes: [UInt8]) throws -> [Float] {
        let path = try folder.write(numpyFile(type, [1, 1, 3], bytes), to: "a.npy")
        return try allValues(FieldFile.open(path, FieldSelection()))
      }
      #expect(try read("<f2", littleEndian([0x3c00, 0xc100, 0x0001] as [UInt16])) == [1, -2.5, 0x1p-24])
      #expect(try read("<f4", littleEndian([1.5 as Float, -0.1, 3e38].map(\.bitPattern))) == [1.5, -0.1, 3e38])
      #expect(
        try read(">f8", [0.1, -7, 1e300].flatMap { littleEndian([$0.bitPattern.byteSwapped]) }) == [0.1, -7, .infinity])
      #expect(try read("|i1", [1, 255, 128]) == [1, -1, -128])
      #expect(try read(">u2", [0, 1, 255, 255, 1, 0]) == [1, 65535, 256])
      #expect(try read("<i8", littleEndian([1, -1, Int64.max])) == [1, -1, 0x1p63])
      #expect(try read("|b1", [1, 0, 1]) == [1, 0, 1])
    }

    @Test func arraysOfAnArchiveBecomeChannels() throws {
      let (a, b) = (fieldValues(2, 3, 4), fieldValues(2, 3, 4, channel: 1))
      let path = folder.path("a.npz")
      let arrays = [
        NumpyArchive.Array("b", shape: [2, 3, 4], b), NumpyArchive.Array("a", shape: [2, 3, 4], a),
        NumpyArchive.Array("lon", shape: [4], [1, 2, 3, 4]), NumpyArchive.Array("note", text: "x"),
      ]
      try NumpyArchive.contents(of: arrays, path: path).write(to: URL(filePath: path))
      let all = try FieldFile.open(path, FieldSelection())
      #expect(all.channels.map(\.name) == ["a", "b"] && all.coordinates.y == nil)
      #expect(all.coordinates.x == FieldAxis(name: "lon", values: [1, 2, 3, 4]))
      #expect(try allValues(all) == interleaved([a, b]))
      let chosen = try FieldFile.open(path, selection("b"))
      // Backwards too.
      let sample = Tensor(uninitialised: [1, 3, 4, 1])
      for index in [1, 0] {
        try chosen.read(index..<index + 1, into: sample)
        #expect(sample.elements == b[12 * index..<12 * index + 12].map { Float($0) })
      }
      #expect(failure(path, selection("c"))?.problem == "it has no array c, but a, b")
      #expect(
        failure(path, selection("note"))?.problem
          == "note has elements of type <U1, not real numbers of up to 64 bits")
      #expect(failure(path, selection("b", order: .hwcn))?.kind == .wrongDimensions)
    }

    @Test func ordersOfNumPyArraysMustBeSaid() throws {
      let bytes = littleEndian((0..<24).map { Float($0).bitPattern })
      let path = try folder.write(numpyFile("<f4", [2, 3, 2, 2], bytes), to: "a.npy")
      #expect(failure(path, FieldSelection())?.advice.contains("--order") == true)
      let last = try FieldFile.open(path, selection(order: .nhwc))
      #expect(
        try [last.height, last.width, last.channels.count] == [3, 2, 2] && allValues(last) == (0..<24).map { Float($0) }
      )
      let second = try FieldFile.open(path, selection(order: .nchw, levels: [2, 0]))
      #expect(second.channels.map(\.name) == ["field_2", "field_0"])
      #expect(try allValues(second)[..<8] == [8, 0, 9, 1, 10, 2, 11, 3])
      #expect(failure(path, selection("u", order: .nhwc))?.advice.contains("--names") == true)
      let short = try folder.write(numpyFile("<f4", [2, 3, 2, 2], Array(bytes.dropLast())), to: "short.npy")
      #expect(failure(short, selection(order: .nhwc))?.problem.contains("takes 96 bytes, but has 95") == true)
      let column = try folder.write(numpyFile("<f4", [2, 3, 4], bytes, isColumnMajor: true), to: "column.npy")
      #expect(failure(column, FieldSelection())?.advice.contains("ascontiguousarray") == true)
      let complex = try folder.write(numpyFile("<c8", [2, 3, 2], bytes), to: "complex.npy")
      #expect(failure(complex, FieldSelection())?.problem.contains("<c8, not real numbers") == true)
      let header = "{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, 'shape': (2, 3, 2), }\n"
      let start = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]
      let records = try folder.write(start + Array(header.utf8) + bytes, to: "records.npy")
      #expect(
        failure(records, FieldSelection())?.problem
          == "its elements are of type [('a', '<f4'), ('b', '<f4')], not real numbers of up to 64 bits")
    }
  }
}
