import Datasets
import Files
import Foundation
import HDF5
import Tensors
import TestSupport
import Testing

extension DatasetFileTests {
  /// Packing fields, and reading the packed file.
  @Suite struct PackedFieldsTests {
    private let folder: TemporaryFolder
    private let a = fieldValues(5, 4, 6)
    private let b = fieldValues(5, 4, 6, channel: 1)

    init() throws { folder = try TemporaryFolder() }

    /// A source of the variables a and b, [N, 4, 6].
    private func source(_ a: [Double], _ b: [Double], name: String = "source.h5") throws -> any FieldSource {
      let shape = [a.count / 24, 4, 6]
      try writeHDF5(
        folder.path(name),
        [("a", shape, a), ("b", shape, b), ("y", [4], [10, 20, 30, 40]), ("x", [6], [0, 2, 4, 6, 8, 10])]
      ) { file in
        try file.writeAttribute("units", "K", of: "a")
        try file.writeAttribute("units", "km", of: "x")
      }
      return try FieldFile.open(folder.path(name), FieldSelection())
    }

    private func pack(
      _ training: [any FieldSource], test: [any FieldSource] = [], threads: Int = 1, name: String = "packed.h5",
      _ change: (inout FieldRecipe) -> Void = { _ in }
    ) throws -> String {
      var recipe = FieldRecipe()
      change(&recipe)
      let path = folder.path(name)
      let packer = try FieldPacker(
        name: "weather", training: JoinedFields(training), test: test.isEmpty ? nil : JoinedFields(test), recipe: recipe
      )
      _ = try packer.write(to: path, workers: WorkerPool(threadCount: threads))
      return path
    }

    private func failure(_ path: String, split: DatasetSplit = .training) -> DatasetError? {
      #expect(throws: DatasetError.self) { _ = try PackedFields(path: path, split: split) }
    }

    @Test func fieldsRoundTripWithTheirDescription() throws {
      let path = try pack([source(a, b)], test: [source(Array(b[..<48]), Array(a[..<48]), name: "test.h5")])
      let fields = try PackedFields(path: path)
      #expect(fields.name == "weather" && fields.count == 5 && fields.fieldShape == [4, 6, 2])
      #expect(fields.variables.map(\.name) == ["a", "b"] && fields.variables.map(\.units) == ["K", ""])
      #expect(fields.coordinates.y == FieldAxis(name: "y", values: [10, 20, 30, 40]))
      #expect(fields.coordinates.x == FieldAxis(name: "x", units: "km", values: [0, 2, 4, 6, 8, 10]))
      #expect(try allValues(fields) == interleaved([a, b]))
      let test = try PackedFields(path: path, split: .test)
      #expect(test.count == 2 && test.variables == fields.variables && test.fingerprint != fields.fingerprint)
      #expect(try allValues(test) == interleaved([Array(b[..<48]), Array(a[..<48])]))
      #expect(
        try PackedFields.areIn(path) && PackedFields.testsAreIn(path) && !PackedFields.areIn(folder.path("source.h5")))
      #expect(
        try PackedFields(path: path).fingerprint == fields.fingerprint && fields.contentMark == fields.fingerprint)
    }

    @Test func theCatalogueRecognisesPackedFields() throws {
      let path = try pack([source(a, b)])
      let dataset = try DatasetCatalog.load(name: "hdf5", path: path, conditions: ["a"], normalisation: .none)
      #expect(dataset.count == 5 && dataset.drawnShape == [4, 6, 1] && dataset.readsFiles)
      let fields = try PackedFields(path: path)
      #expect(dataset.fields?.coordinates == fields.coordinates && dataset.fields?.conditions == [fields.variables[0]])
      let sample = Tensor(uninitialised: [1, 4, 6, 2])
      try dataset.copyValues(of: 3, into: sample, at: 0, flipped: false)
      #expect(sample.elements == interleaved([b, a].map { Array($0[72..<96]) }))
      #expect(throws: DatasetError.self) { _ = try DatasetCatalog.load(name: "hdf5", path: path, split: .test) }
    }

    @Test func statisticsAreThoseOfAllValues() throws {
      let path = try pack([source(a, b)])
      for (variable, values) in zip(try PackedFields(path: path).variables, [a, b]) {
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(values.count)
        // Sums of 120 numbers below 200 in double precision.
        let tolerance = 1e-12
        #expect(abs(variable.mean - mean) < tolerance * 200)
        #expect(abs(variable.standardDeviation / variance.squareRoot() - 1) < tolerance)
        #expect(variable.minimum == values.min() && variable.maximum == values.max() && !variable.isConstant)
      }
    }

    @Test func severalFilesAreJoinedAndThreadsDoNotMatter() throws {
      let first = try source(Array(a[..<72]), Array(b[..<72]), name: "first.h5")
      let second = try source(Array(a[72...]), Array(b[72...]), name: "second.h5")
      let whole = try pack([source(a, b)])
      let joined = try pack([first, second], threads: 3, name: "joined.h5")
      let (one, other) = try (PackedFields(path: whole), PackedFields(path: joined))
      #expect(one.fingerprint == other.fingerprint && one.variables == other.variables)
      #expect(try allValues(one) == allValues(other))
      let fields = try JoinedFields([first, second])
      #expect(fields.location(of: 2) == (first.path, 2) && fields.location(of: 3) == (second.path, 0))
    }

    @Test func filesThatDoNotFitTogetherAreRefused() throws {
      let first = try source(a, b)
      func refusal(_ change: (String) throws -> Void) throws -> DatasetError? {
        let path = folder.path("other.h5")
        try change(path)
        let other = try FieldFile.open(path, FieldSelection())
        return #expect(throws: DatasetError.self) { _ = try JoinedFields([first, other]) }
      }
      let names = try refusal {
        try writeHDF5($0, [("a", [1, 4, 6], Array(a[..<24])), ("c", [1, 4, 6], Array(a[..<24]))])
      }
      #expect(names?.problem.contains("its channels are a, c, but they are a, b") == true)
      let units = try refusal {
        try writeHDF5($0, [("a", [1, 4, 6], Array(a[..<24])), ("b", [1, 4, 6], Array(a[..<24]))]) { file in
          try file.writeAttribute("units", "degC", of: "a")
        }
      }
      #expect(units?.problem == "a is in \"degC\", but in \"K\" in \(first.path)")
      let grid = try refusal {
        try writeHDF5($0, [("a", [1, 6, 4], Array(a[..<24])), ("b", [1, 6, 4], Array(a[..<24]))])
      }
      #expect(grid?.problem.contains("its fields are 6x4, but 4x6 in") == true)
      let few = #expect(throws: DatasetError.self) { _ = try JoinedFields([first], names: ["u"]) }
      #expect(few?.location == "--names")
      #expect(throws: DatasetError.self) { _ = try JoinedFields([first], names: ["u", "u"]) }
      #expect(try JoinedFields([first], names: ["u", "v"]).channels.map(\.name) == ["u", "v"])
    }

    /// Files without units fit those that have some, but these must agree among themselves.
    @Test func unitsThatAFileDoesNotSayAreUnknown() throws {
      func source(_ name: String, units: String?) throws -> any FieldSource {
        try writeHDF5(folder.path(name), [("a", [1, 4, 6], Array(a[..<24]))]) { file in
          if let units { try file.writeAttribute("units", units, of: "a") }
        }
        return try FieldFile.open(folder.path(name), FieldSelection())
      }
      let (none, kelvin) = (try source("none.h5", units: nil), try source("kelvin.h5", units: "K"))
      let celsius = try source("celsius.h5", units: "degC")
      for sources in [[none, kelvin], [kelvin, none], [none, none, kelvin]] {
        #expect(try JoinedFields(sources).channels.map(\.units) == ["K"])
      }
      #expect(try JoinedFields([none]).channels.map(\.units) == [""])
      let error = #expect(throws: DatasetError.self) { _ = try JoinedFields([none, kelvin, celsius]) }
      #expect(error?.problem == "a is in \"degC\", but in \"K\" in \(kelvin.path)")
      _ = try FieldPacker(name: "x", training: JoinedFields([kelvin]), test: JoinedFields([none]))
    }

    @Test func namesThatDrawnFieldsCannotHaveAreRefused() throws {
      func refusal(_ names: [String]) throws -> DatasetError? {
        let fields = try JoinedFields([source(a, b)], names: names)
        return #expect(throws: DatasetError.self) { _ = try FieldPacker(name: "weather", training: fields) }
      }
      for name in ["u/v", ".u", "u ", "u\u{1}"] {
        let error = try refusal(["a", name])
        #expect(error?.problem.hasPrefix("'\(name)' cannot be the name of a channel") == true, "\(name)")
        #expect(error?.advice == "give others with --names")
      }
      for name in ["sample", "condition", "member", "y", "x"] {
        let problem = try refusal([name, "b"])?.problem
        #expect(problem?.hasPrefix("the channel \(name) has the name of a dimension of drawn fields") == true)
      }
      let coarse = try JoinedFields([source(a, b)], names: ["a", "a_coarse"])
      var recipe = FieldRecipe()
      recipe.coarse = 2
      let packer = try FieldPacker(name: "weather", training: coarse, recipe: recipe)
      let error = #expect(throws: DatasetError.self) {
        _ = try packer.write(to: folder.path("coarse.h5"), workers: .callingThread)
      }
      #expect(error?.problem == "two channels would have the name a_coarse")
      #expect(try folder.names() == ["source.h5"])
    }

    @Test func axesOfOneNameGetTwo() throws {
      let path = folder.path("square.h5")
      try writeHDF5(path, [("n", [3], [1, 2, 3]), ("c", [2, 3, 3], fieldValues(2, 3, 3))]) { file in
        let matrix = try file.openDataset("c")
        let scale = try file.openDataset("n")
        try scale.makeScale("n")
        for axis in [1, 2] { try matrix.attachScale(scale, to: axis) }
      }
      let fields = try PackedFields(path: pack([FieldFile.open(path, FieldSelection())]))
      #expect(fields.coordinates.y == FieldAxis(name: "n", values: [1, 2, 3]))
      #expect(fields.coordinates.x == FieldAxis(name: "n_2", values: [1, 2, 3]))
    }

    @Test func theCentreIsCropped() throws {
      let fields = try PackedFields(path: pack([source(a, b)]) { $0.crop = FieldRecipe.Size(height: 3, width: 2) })
      #expect(fields.fieldShape == [3, 2, 2])
      #expect(fields.coordinates.y?.values == [10, 20, 30] && fields.coordinates.x?.values == [4, 6])
      let expected = (0..<5 * 3 * 2).map { (index: Int) -> Double in
        let (sample, row, column) = (index / 6, index / 2 % 3, index % 2)
        return a[sample * 24 + row * 6 + 2 + column]
      }
      let values = try allValues(fields)
      #expect(expected.indices.map { values[2 * $0] } == expected.map { Float($0) })
    }

    @Test func bordersAreRepeated() throws {
      let fields = try PackedFields(path: pack([source(a, b)]) { $0.pad = FieldRecipe.Size(height: 4, width: 9) })
      #expect(fields.coordinates.x?.values == [-2, 0, 2, 4, 6, 8, 10, 12, 14])
      let values = try allValues(fields)
      let row = (0..<9).map { values[2 * $0] }
      #expect(row == [0, 0, 1, 2, 3, 4, 5, 5, 5].map { Float(a[$0]) })
    }

    @Test func blockMeansAreAddedAsChannels() throws {
      let fields = try PackedFields(path: pack([source(a, b)]) { $0.coarse = 2 })
      #expect(fields.variables.map(\.name) == ["a", "b", "a_coarse", "b_coarse"])
      #expect(fields.variables.map(\.units) == ["K", "", "K", ""])
      let values = try allValues(fields)
      for index in 0..<5 * 24 {
        let (sample, row, column) = (index / 24, index / 6 % 4, index % 6)
        let corner = sample * 24 + row / 2 * 12 + column / 2 * 2
        let mean = [0, 1, 6, 7].map { a[corner + $0] }.reduce(0, +) / 4
        #expect(values[4 * index + 2] == Float(mean))
      }
      let error = #expect(throws: DatasetError.self) { _ = try pack([source(a, b)]) { $0.coarse = 4 } }
      #expect(error?.location == "--coarse" && error?.advice == "add --pad 4x8 or --crop 4x4")
    }

    @Test func missingValuesAreRefusedWithTheirCountAndPosition() throws {
      var holed = b
      for index in [30, 31, 101] { holed[index] = [.nan, .infinity, 1e300][index % 3] }
      let source = try source(a, holed)
      let error = #expect(throws: DatasetError.self) { _ = try pack([source]) }
      #expect(error?.kind == .missingValues && error?.location == source.path)
      #expect(error?.problem.hasPrefix("3 values are missing (3 of b)") == true)
      #expect(error?.problem.hasSuffix("the first is b in sample 1, y 1, x 0") == true)
      #expect(error?.advice.contains("--missing mask") == true)
      #expect(try folder.names() == ["source.h5"])
      // Outside of the part that is packed there may be any.
      _ = try pack([source]) { $0.crop = FieldRecipe.Size(height: 2, width: 2) }
    }

    @Test func missingValuesBecomeTheMeanAndAMask() throws {
      var holed = b
      let holes = [0, 1, 6, 7, 33]
      for index in holes { holed[index] = .nan }
      let path = try pack([source(a, holed)], test: [source(a, b, name: "test.h5")], threads: 2) {
        $0.missing = .mask
        $0.coarse = 2
      }
      let fields = try PackedFields(path: path)
      #expect(fields.variables.map(\.name) == ["a", "b", "b_mask", "a_coarse", "b_coarse"])
      #expect(fields.variables.indexOfMask(of: "b") == 2 && fields.variables.indexOfMask(of: "a") == nil)
      // A variable that merely has such a name.
      #expect([FieldVariable(name: "u_mask", minimum: 0, maximum: 1)].indexOfMask(of: "u") == nil)
      let present = holed.filter { !$0.isNaN }
      let mean = present.reduce(0, +) / Double(present.count)
      #expect(abs(fields.variables[1].mean - mean) < 1e-10)
      #expect(fields.variables[1].minimum == present.min())
      let values = try allValues(fields)
      for index in 0..<120 {
        let isHole = holes.contains(index)
        let expected = isHole ? Float(fields.variables[1].mean) : Float(b[index])
        #expect(values[5 * index + 1] == expected && values[5 * index + 2] == (isHole ? 0 : 1))
      }
      // A block without values, and one with three of four: those of the second sample at rows 0 and 1, columns 2 and 3.
      #expect(values[4] == Float(fields.variables[1].mean))
      #expect(values[5 * 26 + 4] == Float((b[26] + b[27] + b[32]) / 3))
      let test = try allValues(PackedFields(path: path, split: .test))
      #expect((0..<120).allSatisfy { test[5 * $0 + 2] == 1 && test[5 * $0 + 1] == Float(b[$0]) })
      let none = try source(a, b.map { _ in .nan }, name: "none.h5")
      let error = #expect(throws: DatasetError.self) { _ = try pack([none]) { $0.missing = .mask } }
      #expect(error?.problem == "all values of b are missing")
    }

    @Test func aConstantChannelHasNoDeviation() throws {
      let path = try pack([source(a, b.map { _ in 0.1 })])
      let variable = try PackedFields(path: path).variables[1]
      #expect(variable.isConstant && variable.standardDeviation == 0 && variable.mean == Double(Float(0.1)))
    }

    @Test func everyFlippedBitIsDetected() throws {
      let path = try pack([source(a, b)], test: [source(a, b, name: "test.h5")])
      let whole = try [UInt8](Data(contentsOf: URL(filePath: path)))
      for position in stride(from: 0, to: whole.count, by: 61) {
        var bytes = whole
        bytes[position] ^= 1 << (position % 8)
        try folder.write(bytes, to: "packed.h5")
        #expect(throws: DatasetError.self, "byte \(position)") {
          _ = try allValues(PackedFields(path: path))
          _ = try allValues(PackedFields(path: path, split: .test))
        }
      }
    }

    @Test func aDamagedFieldIsNamed() throws {
      let path = try pack([source(a, b)])
      let file = try HDF5File.open(path)
      let start = try #require(try file.openDataset("fields").contiguousOffset())
      try file.close()
      var bytes = try [UInt8](Data(contentsOf: URL(filePath: path)))
      bytes[start + 3 * 48 * 4 + 5] ^= 1
      try folder.write(bytes, to: "packed.h5")
      let fields = try PackedFields(path: path)
      let target = Tensor(uninitialised: [1, 4, 6, 2])
      let error = #expect(throws: DatasetError.self) { try fields.copyValues(of: 3, into: target) }
      #expect(error?.kind == .damaged && error?.problem == "fields[3] is damaged: its checksum does not match")
      try fields.copyValues(of: 2, into: target)
      #expect(target.elements == Array(interleaved([a, b])[96..<144]))
      try folder.write(Array(bytes.prefix(start + 100)), to: "packed.h5")
      #expect(failure(path)?.problem.contains("no seal") == true)
    }

    @Test func filesThatAreNotOfThisFormatAreRefused() throws {
      let path = folder.path("other.h5")
      func write(_ change: (borrowing HDF5File) throws -> Void) throws {
        let file = try HDF5File.create(path)
        let fields = try file.createDataset("fields", shape: [1, 2, 2, 1], type: .float32)
        try fields.writeAll([1, 2, 3, 4] as [Float])
        try fields.close()
        try file.createDataset("crc32", shape: [1], type: .uint32).writeAll([0] as [UInt32])
        for name in ["names", "units", "long_names"] { try file.writeAttribute(name, ["a"], of: "fields") }
        for name in ["mean", "standard_deviation", "minimum", "maximum"] {
          try file.createDataset("statistics/\(name)", shape: [1], type: .float64).writeAll([0.5])
        }
        try file.writeAttribute("name", "x")
        try file.writeAttribute("format_version", Int64(1))
        try file.writeAttribute("complete", Int64(1))
        try change(file)
        try file.close()
        try FileSeal.add(to: path, contents: [])
      }
      try write { _ in }
      #expect(try PackedFields(path: path).count == 1)
      #expect(failure(path, split: .test)?.kind == .missing)
      try write { try $0.writeAttribute("complete", Int64(0)) }
      #expect(failure(path)?.problem.contains("incomplete") == true)
      try write { try $0.writeAttribute("format_version", Int64(2)) }
      #expect(failure(path)?.problem == "its format has the version 2, but this program reads 1")
      try write { try $0.writeAttribute("names", ["a", "b"], of: "fields") }
      #expect(failure(path)?.kind == .countMismatch)
      try write {
        let mean = try $0.openDataset("statistics/mean")
        try mean.writeAll([Double.nan])
      }
      #expect(failure(path)?.problem == "its statistics are not finite")
      try write { try $0.createDataset("coordinates/x", shape: [3], type: .float64).writeAll([1.0, 2, 3]) }
      #expect(failure(path)?.kind == .wrongLayout)
      try HDF5File.create(path).close()
      try FileSeal.add(to: path, contents: [])
      #expect(failure(path)?.problem == "it has no dataset `fields`")
      #expect(failure(folder.path("none.h5"))?.kind == .missing)
    }
  }
}
