import HDF5

/// What a dimension of a variable stands for.
enum FieldRole: String, Codable, Sendable {
  /// Times or members of an ensemble, each of which is a sample.
  case sample
  /// Levels or bands, each of which is a channel.
  case channel
  case y
  case x

  /// What several such dimensions are, in messages.
  var plural: String {
    switch self {
    case .sample: "samples"
    case .channel: "levels"
    case .y: "rows"
    case .x: "columns"
    }
  }
}

// By the name of the dimension.
extension FieldRole {
  private static let namesOfSamples: Set = [
    "t", "time", "times", "date", "valid_time", "time_counter", "ocean_time", "sample", "samples", "batch", "condition",
    "member", "members", "ensemble", "number", "realization", "realisation",
  ]
  private static let namesOfChannels = Set(FieldFileContents.namesOfAxes.levels).union([
    "z", "altitude", "levels", "lvl", "sigma", "bottom_top", "s_rho", "deptht", "band", "bands", "channel", "channels",
    "variable",
  ])
  private static let namesOfRows = Set(FieldFileContents.namesOfAxes.y).union([
    "rlat", "nlat", "lats", "ny", "south_north", "northing", "row", "rows",
  ])
  private static let namesOfColumns = Set(FieldFileContents.namesOfAxes.x).union([
    "rlon", "nlon", "lons", "nx", "west_east", "easting", "column", "columns",
  ])

  /// What a dimension's name says; nil if it says nothing.
  /// - Parameter names: those of all dimensions of the variable: beside a width, a height is not one of levels.
  static func named(_ name: String, among names: [String]) -> FieldRole? {
    let (name, all) = (name.lowercased(), names.map { $0.lowercased() })
    for (height, width) in [("height", "width"), ("h", "w")] where all.contains(height) && all.contains(width) {
      if name == height { return .y }
      if name == width { return .x }
      if name == "c" { return .channel }
    }
    if namesOfSamples.contains(name) { return .sample }
    if namesOfChannels.contains(name) || name.hasPrefix("plev") { return .channel }
    if namesOfRows.contains(name) { return .y }
    return namesOfColumns.contains(name) ? .x : nil
  }
}

// By the attributes of the coordinates (CF Conventions, chapter 4).
extension FieldRole {
  private static let unitsOfRows: Set = [
    "degrees_north", "degree_north", "degrees_n", "degree_n", "degreesn", "degreen",
  ]
  private static let unitsOfColumns: Set = [
    "degrees_east", "degree_east", "degrees_e", "degree_e", "degreese", "degreee",
  ]
  private static let unitsOfPressure: Set = ["pa", "hpa", "bar", "mbar", "mb", "millibar", "dbar", "decibar"]
  private static let standardNames: [String: FieldRole] = [
    "time": .sample, "forecast_reference_time": .sample, "realization": .sample, "air_pressure": .channel,
    "altitude": .channel, "depth": .channel, "height": .channel, "model_level_number": .channel, "latitude": .y,
    "grid_latitude": .y, "projection_y_coordinate": .y, "longitude": .x, "grid_longitude": .x,
    "projection_x_coordinate": .x,
  ]

  /// What the attributes of a dimension's coordinates say; nil if they say nothing.
  /// - Parameter path: of their dataset.
  static func attributed(_ path: String, in file: borrowing HDF5File) throws(HDF5Error) -> FieldRole? {
    switch try file.text("axis", of: path).uppercased() {
    case "T", "E": return .sample
    case "Z": return .channel
    case "Y": return .y
    case "X": return .x
    default: break
    }
    let units = try file.text("units", of: path).lowercased()
    if units.contains(" since ") { return .sample }
    if unitsOfRows.contains(units) { return .y }
    if unitsOfColumns.contains(units) { return .x }
    let standardName = try file.text("standard_name", of: path)
    if let role = standardNames[standardName] { return role }
    let isVertical = ["up", "down"].contains(try file.text("positive", of: path).lowercased())
    return isVertical || unitsOfPressure.contains(units) ? .channel : nil
  }
}
