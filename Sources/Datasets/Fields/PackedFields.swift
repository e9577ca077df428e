import Compression
import Files
import HDF5
import Tensors

/// Fields in an HDF5 file, read one by one on demand; what describes them is in memory.
///
/// The file has the dataset `fields`, float32 [N, H, W, C], in physical units, stored contiguously, with the attributes
/// `names`, `units` and `long_names`, a text for each channel; `crc32`, uint32 [N], the CRC-32 (that of zlib) of each
/// sample's bytes, which is checked on every read; and in the group `statistics` the datasets `mean`,
/// `standard_deviation`, `minimum` and `maximum`, float64 [C], of the values that were present in the source. The group
/// `coordinates` may have `y` [H] and `x` [W], float64, with the attributes `name` and `units`. The group `test` may have
/// `fields` and `crc32` of test fields. Attributes of the root are `name`, `format_version` and `complete`, which is 1 in
/// a file that was completely written. A `FileSeal` covers everything but the fields; it is verified before libhdf5 opens
/// the file.
///
/// Once it is open, libhdf5, which is not thread-safe, is no longer used.
package struct PackedFields: Sendable {
  package static let formatVersion = 1

  package let name: String
  package let variables: [FieldVariable]
  package let count: Int
  package let height: Int
  package let width: Int
  package let coordinates: FieldCoordinates
  /// Computed from the channels and checksums, not from the values themselves.
  package let fingerprint: UInt64
  private let file: OpenedFile
  /// The offset of the first sample.
  private let offset: Int
  private let checksums: [UInt32]
  /// The dataset's name in messages.
  private let datasetName: String

  /// Changes whenever the contents may have changed.
  package var contentMark: UInt64 { fingerprint }

  /// [H, W, C].
  package var fieldShape: [Int] { [height, width, variables.count] }

  /// Opens a file. Only the thread that calls libhdf5 may call this.
  /// - Throws: `DatasetError`.
  package init(path: String, split: DatasetSplit = .training) throws(DatasetError) {
    do { try FileSeal.verify(path) } catch { throw DatasetError(ofFields: error, path) }
    datasetName = split == .test ? "test/fields" : "fields"
    let contents: PackedFieldsContents
    do { contents = try PackedFieldsContents.read(HDF5File.open(path), split) } catch {
      throw DatasetError(ofFields: error, path)
    }
    variables = try contents.variables(path)
    coordinates = try contents.coordinates(path)
    (offset, checksums) = try contents.storage(path)
    (name, count, height, width) = (contents.name, contents.shape[0], contents.shape[1], contents.shape[2])
    do { file = try OpenedFile(RegularFile(path)) } catch { throw DatasetError(error, path) }
    var fingerprint = Fingerprint(contents.shape)
    for variable in variables {
      fingerprint.add(variable.name)
      fingerprint.add(variable.units)
    }
    fingerprint.add(checksums)
    self.fingerprint = fingerprint.value
  }

  /// Whether a file is one of packed fields; false if it is damaged or cannot be read.
  package static func areIn(_ path: String) -> Bool {
    guard (try? FileSeal.isOn(path)) == true else { return false }
    return (try? HDF5File.open(path).exists("fields")) ?? false
  }

  /// Whether a file of packed fields has test fields.
  /// - Throws: `DatasetError`.
  package static func testsAreIn(_ path: String) throws(DatasetError) -> Bool {
    do {
      try FileSeal.verify(path)
      return try HDF5File.open(path).exists("test/fields")
    } catch { throw DatasetError(ofFields: error, path) }
  }

  /// Overwrites a sample of `target`, [N, H, W, C], with the values of a sample in physical units. Several threads may
  /// call it at once.
  /// - Parameter position: which of the N samples.
  /// - Throws: `DatasetError` if it cannot be read, or its checksum does not match.
  package func copyValues(of index: Int, into target: Tensor, at position: Int = 0) throws(DatasetError) {
    precondition((0..<count).contains(index), "there is no sample \(index) among \(count)")
    verify(target.shape.suffix(3) == fieldShape[...], "a target of \(target.shape) for fields of \(fieldShape)")
    let sample = target.reshaped([target.count / fieldShape.reduce(1, *)] + fieldShape)[image: position]
    let received: Int
    do {
      received = try file.read(
        at: offset + index * sample.count * MemoryLayout<Float>.size, into: sample)
    } catch {
      throw DatasetError(
        .unreadable, file.path, "\(datasetName)[\(index)] cannot be read: \(error.reason)",
        advice: "check the file system, and start again with --resume")
    }
    guard received == sample.count * MemoryLayout<Float>.size else {
      throw DatasetError(.truncated, file.path, "it ends before the end of \(datasetName)[\(index)]")
    }
    guard sample.withUnsafeBytes({ crc32($0) }) == checksums[index] else {
      throw DatasetError(
        .damaged, file.path, "\(datasetName)[\(index)] is damaged: its checksum does not match",
        advice: "fetch the file again, or pack its source again")
    }
  }
}

/// What a file of packed fields says of itself.
private struct PackedFieldsContents {
  /// [N, H, W, C].
  var shape: [Int] = []
  var name = ""
  private var dataset: String
  private var type: ElementType?
  private var offset: Int?
  private var checksums: [UInt32] = []
  private var texts: [String: [String]] = [:]
  private var statistics: [String: [Double]] = [:]
  private var axes: [String: FieldAxis] = [:]
  private var version: Int64?
  private var isComplete = false

  private static let textNames = ["names", "units", "long_names"]
  private static let statisticNames = ["mean", "standard_deviation", "minimum", "maximum"]

  static func read(_ file: borrowing HDF5File, _ split: DatasetSplit) throws(HDF5Error) -> PackedFieldsContents {
    let group = split == .test ? "test/" : ""
    var contents = PackedFieldsContents(dataset: "\(group)fields")
    guard try file.exists("fields"), try file.exists(contents.dataset) else { return contents }
    let fields = try file.openDataset(contents.dataset)
    (contents.shape, contents.type, contents.offset) = (fields.shape, fields.type, try fields.contiguousOffset())
    contents.checksums = try file.openDataset("\(group)crc32").readAll(as: UInt32.self)
    for name in textNames {
      contents.texts[name] = try file.readAttribute(name, of: "fields", as: [String].self)
    }
    for name in statisticNames {
      contents.statistics[name] = try file.openDataset("statistics/\(name)").readAll(as: Double.self)
    }
    for name in ["y", "x"] where try file.exists("coordinates/\(name)") {
      let path = "coordinates/\(name)"
      contents.axes[name] = FieldAxis(
        name: try file.readAttribute("name", of: path, as: String.self),
        units: try file.readAttribute("units", of: path, as: String.self),
        values: try file.openDataset(path).readAll(as: Double.self))
    }
    contents.name = try file.readAttribute("name", as: String.self)
    contents.version = try file.readAttribute("format_version", as: Int64.self)
    contents.isComplete = try file.readAttribute("complete", as: Int64.self) == 1
    return contents
  }

  private init(dataset: String) { self.dataset = dataset }

  func variables(_ path: String) throws(DatasetError) -> [FieldVariable] {
    guard let type else {
      throw DatasetError(
        .missing, path, dataset == "fields" ? "it has no dataset `fields`" : "it contains no test fields",
        advice: dataset == "fields"
          ? "create a file of fields with `ddpm-mpi pack FILE --output NEW.h5`"
          : "pack some with `ddpm-mpi pack … --test FILE`, or use the training fields if possible")
    }
    guard type == .float32, shape.count == 4, shape.allSatisfy({ $0 > 0 }),
      shape[1...].allSatisfy({ $0 <= FieldAxes.lengthLimit })
    else {
      throw DatasetError(
        .wrongDimensions, path, "`\(dataset)` must be float32 [N, H, W, C], but is \(type.rawValue) \(shape)",
        advice: Self.packAgain)
    }
    guard version == Int64(PackedFields.formatVersion) else {
      throw DatasetError(
        .wrongLayout, path,
        "its format has the version \(version.map { "\($0)" } ?? "0"), but this program reads "
          + "\(PackedFields.formatVersion)", advice: "pack its source again, or use a program of its version")
    }
    let names = texts["names"] ?? []
    guard texts.values.allSatisfy({ $0.count == shape[3] }), statistics.values.allSatisfy({ $0.count == shape[3] }),
      repeated(names) == nil, !names.contains("")
    else {
      throw DatasetError(
        .countMismatch, path, "its names, units and statistics are not those of \(shape[3]) channels",
        advice: Self.packAgain)
    }
    guard statistics.values.joined().allSatisfy(\.isFinite),
      statistics["standard_deviation"]?.allSatisfy({ $0 >= 0 }) == true
    else {
      throw DatasetError(.wrongLayout, path, "its statistics are not finite", advice: Self.packAgain)
    }
    return names.indices.map { channel in
      func text(_ name: String) -> String { texts[name]?[channel] ?? "" }
      func number(_ name: String) -> Double { statistics[name]?[channel] ?? 0 }
      return FieldVariable(
        name: names[channel], units: text("units"), mean: number("mean"),
        standardDeviation: number("standard_deviation"), minimum: number("minimum"), maximum: number("maximum"),
        longName: text("long_names"))
    }
  }

  func coordinates(_ path: String) throws(DatasetError) -> FieldCoordinates {
    for (name, count) in [("y", shape[1]), ("x", shape[2])] {
      guard let axis = axes[name], axis.values.count != count || !axis.isComplete else { continue }
      throw DatasetError(
        .countMismatch, path, "its coordinates of \(name) are not \(count) finite numbers", advice: Self.packAgain)
    }
    return FieldCoordinates(y: axes["y"], x: axes["x"])
  }

  /// Where the fields are, and their checksums.
  func storage(_ path: String) throws(DatasetError) -> (offset: Int, checksums: [UInt32]) {
    guard let offset, checksums.count == shape[0], isComplete else {
      throw DatasetError(
        .wrongLayout, path,
        offset == nil
          ? "its fields are not stored contiguously, but in chunks"
          : isComplete
            ? "it has \(checksums.count) checksums for \(shape[0]) samples"
            : "it is incomplete (the attribute `complete` is not 1)", advice: Self.packAgain)
    }
    return (offset, checksums)
  }

  private static let packAgain = "pack its source again"
}
