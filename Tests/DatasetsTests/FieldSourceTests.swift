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
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func selection(
      _ variables: String..., order: FieldOrder? = nil, levels: [Double] = []
    ) -> FieldSelection {
      var selection = FieldSelection()
      selection.variables = variables
      selection.order = order
      selection.levels = levels
      return selection
    }

    private func failure(_ path: String, _ selection: FieldSelection) -> DatasetError? {
      #expect(throws: DatasetError.self) { _ = try FieldFile.open(path, selection) }
    }

    /// Variables a and b, [3, 4, 5], with coordinates of y.
    private func twoVariables(
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

    // MARK: Named dimensions

    /// Writes a variable p whose dimensions have names, as NetCDF's library does.
    private func netCDF(
      _ dimensions: [(name: String, length: Int)], _ values: [Double],
      attributes: (borrowing HDF5File) throws -> Void = { _ in }
    ) throws -> String {
      let path = folder.path("dimensions.nc")
      let scales = dimensions.map { dimension in
        (name: dimension.name, shape: [dimension.length], values: (0..<dimension.length).map { Double($0) })
      }
      try writeHDF5(path, scales + [(name: "p", shape: dimensions.map { $0.length }, values: values)]) { file in
        let variable = try file.openDataset("p")
        for (axis, dimension) in dimensions.enumerated() {
          let scale = try file.openDataset(dimension.name)
          try scale.makeScale(dimension.name)
          try variable.attachScale(scale, to: axis)
          try scale.close()
        }
        try variable.close()
        try attributes(file)
      }
      return path
    }

    /// The values of an array with its axes in another order.
    /// - Parameter order: the axes of `shape`.
    private func permuted(_ values: [Double], _ shape: [Int], _ order: [Int]) -> [Double] {
      let strides = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
      var offsets = [0]
      for axis in order {
        offsets = offsets.flatMap { offset in (0..<shape[axis]).map { offset + $0 * strides[axis] } }
      }
      return offsets.map { values[$0] }
    }

    @Test func dimensionsOfKnownNamesMayHaveAnyOrder() throws {
      let (names, shape, values) = (["time", "level", "lat", "lon"], [2, 3, 4, 5], fieldValues(2, 3 * 4, 5))
      let expected = permuted(values, shape, [0, 2, 3, 1]).map { Float($0) }
      for order in [[0, 1, 2, 3], [0, 2, 3, 1], [2, 3, 1, 0], [3, 2, 1, 0], [1, 0, 2, 3], [0, 1, 3, 2]] {
        let path = try netCDF(order.map { (names[$0], shape[$0]) }, permuted(values, shape, order))
        let source = try FieldFile.open(path, FieldSelection())
        let size: [Int] = [source.count, source.height, source.width]
        #expect(size == [2, 4, 5], "\(order)")
        #expect(source.channels.map(\.name) == ["p_0", "p_1", "p_2"], "\(order)")
        #expect(source.coordinates.y?.name == "lat" && source.coordinates.x?.name == "lon", "\(order)")
        #expect(try allValues(source) == expected, "\(order)")
        #expect(source.remarks.isEmpty == (order == [0, 1, 2, 3]), "\(order)")
      }
    }

    @Test(arguments: [
      (["lat", "lon", "time"], [1, 2, 0]), (["lat", "lon", "day"], [1, 2, 0]), (["a", "b", "Time"], [1, 2, 0]),
      (["time", "x", "y"], [0, 2, 1]), (["day", "a", "b"], [0, 1, 2]), (["height", "width", "sample"], [1, 2, 0]),
    ])
    func whatIsNotKnownIsWhatRemains(names: [String], order: [Int]) throws {
      let (shape, values) = ([2, 3, 4], fieldValues(2, 3, 4))
      let path = try netCDF(zip(names, order).map { ($0, shape[$1]) }, permuted(values, shape, order))
      let source = try FieldFile.open(path, FieldSelection())
      #expect([source.count, source.height, source.width] == shape && source.channels.map(\.name) == ["p"])
      #expect(try allValues(source) == values.map { Float($0) })
      #expect(source.remarks.isEmpty == (order == [0, 1, 2]))
    }

    @Test func attributesOfCoordinatesSayWhatDimensionsAre() throws {
      let (shape, values) = ([2, 3, 4], fieldValues(2, 3, 4))
      let path = try netCDF([("a", 3), ("b", 4), ("c", 2)], permuted(values, shape, [1, 2, 0])) { file in
        try file.writeAttribute("units", "degrees_north", of: "a")
        try file.writeAttribute("standard_name", "projection_x_coordinate", of: "b")
        try file.writeAttribute("units", "hours since 2000-01-01", of: "c")
      }
      let source = try FieldFile.open(path, FieldSelection())
      #expect(try allValues(source) == values.map { Float($0) })
      #expect(source.remarks == ["p has the dimensions [a, b, c]; it is read as [c, a, b]"])
    }

    @Test func labelsOfDimensionsAreNames() throws {
      let (shape, values) = ([2, 3, 4, 5], fieldValues(2, 3 * 4, 5))
      let path = folder.path("labels.h5")
      func write(_ labels: [String]) throws {
        try writeHDF5(path, [("p", [2, 4, 5, 3], permuted(values, shape, [0, 2, 3, 1]))]) { file in
          try file.writeAttribute("DIMENSION_LABELS", labels, of: "p")
        }
      }
      try write(["n", "h", "w", "c"])
      let source = try FieldFile.open(path, FieldSelection())
      #expect(source.channels.map(\.name) == ["p_0", "p_1", "p_2"] && source.height == 4)
      #expect(try allValues(source) == permuted(values, shape, [0, 2, 3, 1]).map { Float($0) })
      try write(["", "some", "thing", "else"])
      #expect(failure(path, FieldSelection())?.advice.contains("--order nhwc") == true)
    }

    @Test func dimensionsWhoseOrderIsNotKnownAreRefused() throws {
      func refusal(_ dimensions: [(name: String, length: Int)]) throws -> DatasetError? {
        let count = dimensions.map { $0.length }.reduce(1, *)
        return failure(try netCDF(dimensions, (0..<count).map { Double($0) }), FieldSelection())
      }
      let members = try refusal([("member", 3), ("time", 2), ("lat", 4), ("lon", 5)])
      #expect(
        members?.problem
          == "p has the dimensions member (3), time (2), lat (4), lon (5): member and time are both samples")
      #expect(members?.advice.contains("stack(sample=(\"member\", \"time\"))") == true)
      #expect(members?.advice.contains("--order") == true)
      let runs = try refusal([("run", 3), ("time", 2), ("lat", 4), ("lon", 5)])
      #expect(runs?.problem.hasSuffix("and it is not clear which are levels") == true)
      let unknown = try refusal([("lat", 4), ("a", 2), ("b", 3)])
      #expect(unknown?.problem.hasSuffix("and it is not clear which are samples, columns") == true)
      let grids = try refusal([("lat", 4), ("lon", 5), ("y", 2), ("x", 2)])
      #expect(grids?.problem.hasSuffix(": lat and y are both rows") == true)
      let levels = try refusal([("level", 3), ("lat", 4), ("lon", 5)])
      #expect(levels?.problem.hasSuffix(": levels, but no time") == true)
      #expect(levels?.advice.contains("--order nhwc") == true)
    }

    @Test func anOrderOverridesNames() throws {
      let values = fieldValues(3, 2 * 4, 5)
      let path = try netCDF([("member", 3), ("time", 2), ("lat", 4), ("lon", 5)], values)
      let source = try FieldFile.open(path, selection(order: .nchw))
      #expect(source.count == 3 && source.channels.map(\.name) == ["p_0", "p_1"] && source.remarks.isEmpty)
      let levels = try netCDF([("level", 3), ("lat", 4), ("lon", 5)], fieldValues(3, 4, 5))
      #expect(try FieldFile.open(levels, selection(order: .nhwc)).count == 3)
    }

    @Test func dimensionsOfLengthOneDoNotMatter() throws {
      let values = fieldValues(2, 4, 5)
      let all: [[(name: String, length: Int)]] = [
        [("member", 1), ("time", 2), ("lat", 4), ("lon", 5)], [("time", 2), ("run", 1), ("lat", 4), ("lon", 5)],
        [("run", 1), ("time", 2), ("lat", 4), ("lon", 5)],
      ]
      for dimensions in all {
        let source = try FieldFile.open(try netCDF(dimensions, values), FieldSelection())
        #expect(source.count == 2 && source.channels.map(\.name) == ["p"], "\(dimensions)")
        #expect(try allValues(source) == values.map { Float($0) }, "\(dimensions)")
      }
      let level = try netCDF([("level", 1), ("lat", 4), ("lon", 5)], fieldValues(1, 4, 5))
      #expect(try FieldFile.open(level, FieldSelection()).count == 1)
    }

    @Test func verticalSectionsAreFieldsToo() throws {
      let (shape, values) = ([2, 3, 4], fieldValues(2, 3, 4))
      let section = try netCDF([("time", 2), ("level", 3), ("lat", 4)], values)
      #expect(try allValues(FieldFile.open(section, FieldSelection())) == values.map { Float($0) })
      let last = try netCDF([("level", 3), ("lon", 4), ("time", 2)], permuted(values, shape, [1, 2, 0]))
      #expect(try allValues(FieldFile.open(last, FieldSelection())) == values.map { Float($0) })
    }

    @Test func coordinatesThatAreLeftOutAreNamed() throws {
      let curvilinear = folder.path("curvilinear.h5")
      let plane = fieldValues(1, 3, 4)
      try writeHDF5(
        curvilinear,
        [
          ("p", [2, 3, 4], fieldValues(2, 3, 4)), ("lat", [3, 4], plane), ("TLONG", [3, 4], plane),
          ("other", [3, 4], plane), ("lon", [2, 2], [1, 2, 3, 4]),
        ]
      ) { file in try file.writeAttribute("coordinates", "TLONG lat", of: "p") }
      let source = try FieldFile.open(curvilinear, FieldSelection())
      #expect(source.coordinates == FieldCoordinates())
      #expect(source.remarks == ["the coordinates TLONG, lat are left out: they have two dimensions"])

      let staggered = folder.path("staggered.h5")
      let values = fieldValues(2, 3, 4)
      try writeHDF5(
        staggered,
        [
          ("x", [4], [0, 1, 2, 3]), ("x_v", [4], [0.5, 1.5, 2.5, 3.5]), ("u", [2, 3, 4], values),
          ("v", [2, 3, 4], values),
        ]
      ) { file in
        for (variable, scale) in [("u", "x"), ("v", "x_v")] {
          let coordinates = try file.openDataset(scale)
          try coordinates.makeScale(scale)
          try file.openDataset(variable).attachScale(coordinates, to: 2)
        }
      }
      let fields = try FieldFile.open(staggered, FieldSelection())
      #expect(fields.coordinates.x?.values == [0, 1, 2, 3])
      #expect(fields.remarks == ["v has other coordinates of x than u; those of u are kept"])
    }

    // MARK: Refusals

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
