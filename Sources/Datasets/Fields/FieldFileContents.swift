import Files
import HDF5

/// The variables of an HDF5 file, NetCDF-4 included, apart from their values.
struct FieldFileContents: Codable, Sendable {
  /// A dataset of numbers.
  struct Variable: Codable, Sendable {
    var path: String
    /// As stored.
    var shape: [Int]
    var storage: HDF5Numbers.Storage
    /// For each axis the path of its coordinates in `axes`, if any.
    var scales: [String?]
    /// For each axis what it is called where it has no scale; empty if nothing.
    var labels: [String]
    /// The names of other coordinates, as CF's attribute `coordinates` lists them.
    var coordinates: [String]
    var units: String
    var longName: String
    var decoding: FieldDecoding
    /// Whether MATLAB has written it, whose axes are stored in the opposite order.
    var isReversed: Bool
    var chunkShape: [Int]?
    /// The filter of the numbers that libhdf5 does not support.
    var missingFilter: HDF5Filter?
    var isUnwritten: Bool

    var name: String { lastPart(ofPath: path) }
  }

  /// Those that were asked for and exist, or else all that have the dimensions of fields and are no booleans.
  var variables: [Variable] = []
  /// Coordinates by the path of their dataset. A dimension without coordinates has no values.
  var axes: [String: FieldAxis] = [:]
  /// The paths of those coordinates that are stored in single precision.
  var singlePrecision: Set<String> = []
  /// The shapes of the datasets of numbers in two dimensions, by their paths.
  var planes: [String: [Int]] = [:]
  /// What dimensions stand for, by the path of their dataset, as far as its attributes say.
  var roles: [String: FieldRole] = [:]
  /// The paths of all datasets of numbers in three or more dimensions.
  var candidates: [String] = []
  var holdsImages = false

  /// Names by which coordinates are found if no dimension scales are attached to the axes.
  static let namesOfAxes = (
    levels: ["level", "lev", "plev", "pressure", "pressure_level", "isobaricinhpa", "height", "depth"],
    y: ["y", "lat", "latitude", "yc"], x: ["x", "lon", "longitude", "xc"]
  )

  /// The maximum number of objects in a file; more are likely the result of damage.
  private static let objectLimit = 10_000
  private static let depthLimit = 8

  /// - Parameter names: the variables to read; if empty, all that have the dimensions of fields.
  static func read(_ file: borrowing HDF5File, variables names: [String]) throws(HDF5Error) -> FieldFileContents {
    var contents = FieldFileContents()
    contents.holdsImages = try file.exists("images")
    var paths: [String] = []
    var objectCount = 0
    try list(file, "", depth: 0, &paths, &objectCount)
    for path in paths {
      let isScale = try file.isDimensionScale(path)
      guard let (shape, storage) = try numbers(path, file) else { continue }
      if shape.count > 2 && !isScale {
        contents.candidates.append(path)
        // Booleans are masks, which are fields only for those who name them.
        if names.isEmpty && storage != .boolean { try contents.addVariable(path, file) }
      } else if shape.filter({ $0 != 1 }).count <= 1 {
        let usual = namesOfAxes.levels + namesOfAxes.y + namesOfAxes.x
        if usual.contains(lastPart(ofPath: path).lowercased()) { try contents.addAxis(path, file) }
      } else if shape.count == 2 {
        contents.planes[path] = shape
      }
    }
    for name in names where try file.exists(name) { try contents.addVariable(name, file) }
    return contents
  }

  /// The paths of all datasets of a group, in order.
  private static func list(
    _ file: borrowing HDF5File, _ group: String, depth: Int, _ paths: inout [String], _ objectCount: inout Int
  ) throws(HDF5Error) {
    // MATLAB keeps parts of its cells in #refs#.
    for name in try file.names(in: group) where !name.hasPrefix("#") && objectCount < objectLimit {
      objectCount += 1
      let path = group.isEmpty ? name : "\(group)/\(name)"
      let isGroup: Bool
      do throws(HDF5Error) {
        guard try file.exists(path) else { continue }
        isGroup = try file.isGroup(path)
      } catch {
        // A link into another file.
        guard error.reason == .wrongType else { throw error }
        continue
      }
      if !isGroup {
        paths.append(path)
      } else if depth < depthLimit {
        try list(file, path, depth: depth + 1, &paths, &objectCount)
      }
    }
  }

  /// The shape and type of a dataset of numbers; nil for other objects.
  private static func numbers(
    _ path: String, _ file: borrowing HDF5File
  ) throws(HDF5Error) -> (shape: [Int], storage: HDF5Numbers.Storage)? {
    do throws(HDF5Error) {
      let numbers = try file.openNumbers(path)
      return (numbers.shape, numbers.storage)
    } catch {
      guard error.reason == .wrongType else { throw error }
      return nil
    }
  }

  private mutating func addVariable(_ path: String, _ file: borrowing HDF5File) throws(HDF5Error) {
    let numbers = try file.openNumbers(path)
    let scales = try file.dimensionScales(of: path)
    for scale in scales.compactMap(\.self) where axes[scale] == nil { try addAxis(scale, file) }
    let longName = try file.text("long_name", of: path)
    variables.append(
      Variable(
        path: path, shape: numbers.shape, storage: numbers.storage, scales: scales,
        labels: try file.dimensionLabels(of: path),
        coordinates: try file.text("coordinates", of: path).split(separator: " ").map(String.init),
        units: try file.text("units", of: path),
        longName: longName.isEmpty ? try file.text("standard_name", of: path) : longName,
        decoding: try FieldDecoding(path, numbers, of: file),
        isReversed: try file.attributeExists("MATLAB_class", of: path), chunkShape: numbers.chunkShape,
        missingFilter: try numbers.missingFilter(), isUnwritten: numbers.isMostlyUnwritten()))
  }

  private mutating func addAxis(_ path: String, _ file: borrowing HDF5File) throws(HDF5Error) {
    var axis = FieldAxis(name: lastPart(ofPath: path), values: [])
    roles[path] = try FieldRole.attributed(path, in: file)
    // NetCDF's library makes a dataset even for a dimension that has no coordinates.
    let hasValues = try !file.text("NAME", of: path).hasPrefix("This is a netCDF dimension but not a netCDF variable")
    if hasValues, let shape = try Self.numbers(path, file)?.shape, shape.reduce(1, *) <= FieldAxes.lengthLimit {
      let numbers = try file.openNumbers(path)
      let decoding = try FieldDecoding(path, numbers, of: file)
      axis.values = try numbers.read(shape.map { 0..<$0 }).map { number in
        decoding.fills.contains(number) ? .nan : number * (decoding.scale ?? 1) + (decoding.offset ?? 0)
      }
      axis.units = try file.text("units", of: path)
      let isPlain = decoding.scale == nil && decoding.offset == nil
      if isPlain, numbers.storage == .float(byteCount: 4) { singlePrecision.insert(path) }
    }
    axes[path] = axis
  }
}
