import Datasets
import Foundation
import HDF5
import Interchange
import Tensors
import TestSupport
import Testing

/// Dimensions in other orders than the usual one, and their names.
extension DatasetFileTests.FieldSourceTests {
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

  @Test func incompleteCoordinatesAreLeftOutAndNamed() throws {
    let remarks = ["lat", "lon"].map { "the coordinates \($0) are left out: some of them are missing or infinite" }
    let values = fieldValues(2, 3, 4)
    let path = folder.path("gaps.h5")
    let (lat, lon) = ([60, Double.nan, 58], [0, 1, 2, Double.infinity])
    try writeHDF5(path, [("p", [2, 3, 4], values), ("lat", [3], lat), ("lon", [4], lon)])
    let source = try FieldFile.open(path, FieldSelection())
    #expect(source.coordinates == FieldCoordinates() && source.remarks == remarks)
    // A scale with gaps, and one without.
    let scales = folder.path("scales.h5")
    try writeHDF5(scales, [("p", [2, 3, 4], values), ("lat", [3], lat), ("lon", [4], [0, 1, 2, 3])]) { file in
      for (axis, name) in [(1, "lat"), (2, "lon")] {
        let coordinates = try file.openDataset(name)
        try coordinates.makeScale(name)
        try file.openDataset("p").attachScale(coordinates, to: axis)
      }
    }
    let scaled = try FieldFile.open(scales, FieldSelection())
    #expect(scaled.coordinates.y == nil && scaled.coordinates.x?.values == [0, 1, 2, 3])
    #expect(scaled.remarks == [remarks[0]])

    let archive = folder.path("gaps.npz")
    let arrays = [
      NumpyArchive.Array("p", shape: [2, 3, 4], values), NumpyArchive.Array("lat", shape: [3], lat),
      NumpyArchive.Array("lon", shape: [4], lon),
    ]
    try NumpyArchive.contents(of: arrays, path: archive).write(to: URL(filePath: archive))
    let numpy = try FieldFile.open(archive, FieldSelection())
    #expect(numpy.coordinates == FieldCoordinates() && numpy.remarks == remarks)
  }

  // MARK: Refusals
}
