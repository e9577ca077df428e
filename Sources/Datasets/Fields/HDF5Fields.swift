import Files
import ForeignFiles
import HDF5
import Tensors

/// Variables of an HDF5 or NetCDF-4 file, or of MATLAB's version 7.3, in any arrangement that libhdf5 can read. A child
/// process reads the file, since a damaged one could crash libhdf5 or make it run forever.
package final class HDF5Fields: FieldSource {
  private typealias Variable = FieldFileContents.Variable

  /// A variable with the roles of its axes.
  private struct Part {
    let variable: Variable
    let axes: FieldAxes
    /// The indices of the levels to read, ascending.
    let levels: [Int]
    /// The channel that each of these levels becomes.
    let channels: [Int]

    /// [samples, H, W].
    var gridShape: [Int] { axes.gridShape(variable.shape) }
  }

  package let path: String
  package let count: Int
  package let height: Int
  package let width: Int
  package let channels: [FieldChannel]
  package let coordinates: FieldCoordinates
  package let remarks: [String]
  private let parts: [Part]
  private let reader: ForeignReader

  /// The number of values that the child reads at once: 64 MiB in double precision.
  private static let pieceCount = 1 << 23

  /// - Throws: `DatasetError`.
  package init(path: String, _ selection: FieldSelection) throws {
    // The seal of a file written by this program can be verified.
    do { _ = try FileSeal.isOn(path) } catch { throw DatasetError(ofFields: error, path) }
    let (reader, contents): (ForeignReader, FieldFileContents) = try DatasetError.naming(path) {
      let reader = try ForeignReader()
      return (reader, try reader.ask(FieldContentsQuestion(path: path, variables: selection.variables)))
    }
    let variables = try Self.variables(contents, selection, path)
    var parts: [Part] = []
    var channels: [FieldChannel] = []
    var remarks: [String] = []
    for variable in variables {
      let dimensions = contents.dimensions(of: variable)
      let axes = try FieldAxes(
        shape: variable.shape, selection.order, isReversed: variable.isReversed, dimensions: dimensions, variable.name,
        path)
      if selection.order == nil { remarks += Self.remarks(on: axes, of: variable, dimensions) }
      let pathOfLevels = axes.channel.flatMap { contents.pathOfAxis($0, of: variable, .channel) }
      let levels = try FieldLevels(
        variable.name, axis: pathOfLevels.flatMap { contents.axes[$0] },
        isSinglePrecision: pathOfLevels.map { contents.singlePrecision.contains($0) } ?? false,
        count: axes.channelCount(variable.shape), hasAxis: axes.channel != nil, selection.levels, path)
      let order = levels.indices.indices.sorted { levels.indices[$0] < levels.indices[$1] }
      parts.append(
        Part(
          variable: variable, axes: axes, levels: order.map { levels.indices[$0] },
          channels: order.map { channels.count + $0 }))
      channels += levels.names.map {
        FieldChannel(name: $0, units: variable.units, longName: variable.longName)
      }
    }
    let first = parts[0]
    let shape = first.gridShape
    if let other = parts.first(where: { $0.gridShape != shape }) {
      throw DatasetError(
        .wrongDimensions, path,
        "\(other.variable.path) has the shape \(other.gridShape) (samples, y, x), but \(first.variable.path) has "
          + "\(shape)", advice: "choose variables of one shape with --variables, or interpolate them to one grid first"
      )
    }
    guard selection.levels.isEmpty || parts.contains(where: { $0.axes.channel != nil }) else {
      throw DatasetError(
        .wrongDimensions, path, "none of its variables has levels: \(variables.map(\.path).joined(separator: ", "))",
        advice: "remove --levels")
    }
    self.path = path
    (count, height, width) = (shape[0], shape[1], shape[2])
    self.channels = channels
    coordinates = FieldCoordinates(
      y: contents.axis(first.axes.y, of: first.variable, .y), x: contents.axis(first.axes.x, of: first.variable, .x))
    remarks += Self.remarksOnCoordinates(parts, contents)
    self.remarks = remarks
    self.parts = parts
    self.reader = reader
  }

  /// What a user should know of dimensions in another order than the usual one.
  private static func remarks(
    on axes: FieldAxes, of variable: Variable, _ dimensions: [FieldDimension?]
  ) -> [String] {
    let order = axes.inUsualOrder
    guard !dimensions.isEmpty, order != order.sorted() else { return [] }
    func list(_ axes: [Int]) -> String { axes.map { dimensions[$0]?.name ?? "?" }.joined(separator: ", ") }
    return ["\(variable.path) has the dimensions [\(list(order.sorted()))]; it is read as [\(list(order))]"]
  }

  /// What a user should know of coordinates that are left out.
  private static func remarksOnCoordinates(_ parts: [Part], _ contents: FieldFileContents) -> [String] {
    let (first, shape) = (parts[0], parts[0].gridShape)
    var remarks: [String] = []
    for part in parts.dropFirst() {
      let axes: [(FieldRole, Int, Int)] = [(.y, first.axes.y, part.axes.y), (.x, first.axes.x, part.axes.x)]
      for (role, axis, other) in axes {
        guard let kept = contents.axis(axis, of: first.variable, role),
          let own = contents.axis(other, of: part.variable, role), own.values != kept.values
        else { continue }
        let (name, firstName) = (part.variable.path, first.variable.path)
        remarks.append(
          "\(name) has other coordinates of \(role.rawValue) than \(firstName); those of \(firstName) are kept")
      }
    }
    for (role, axis) in [(FieldRole.y, first.axes.y), (.x, first.axes.x)] {
      if let path = contents.pathOfIncompleteAxis(axis, of: first.variable, role) {
        remarks.append(FieldAxis.remark(onIncomplete: path.hasPrefix("/") ? String(path.dropFirst()) : path))
      }
    }
    let planes = contents.planes(of: first.variable, height: shape[1], width: shape[2])
    if !planes.isEmpty {
      remarks.append("the coordinates \(planes.joined(separator: ", ")) are left out: they have two dimensions")
    }
    return remarks
  }

  /// Whether a file has no images, but variables that can be fields.
  static func areIn(_ path: String) -> Bool {
    guard let isSealed = try? FileSeal.isOn(path),
      let contents = try? ForeignReader.askOnce(FieldContentsQuestion(path: path, variables: []), path)
    else { return false }
    // Other files of this program are checkpoints or images.
    if isSealed { return contents.candidates.contains("fields") }
    let bytes: [HDF5Numbers.Storage] = [.unsigned(byteCount: 1), .signed(byteCount: 1)]
    return !contents.holdsImages && contents.variables.contains { !bytes.contains($0.storage) }
  }

  private static func variables(
    _ contents: FieldFileContents, _ selection: FieldSelection, _ path: String
  ) throws(DatasetError) -> [Variable] {
    let found = Set(contents.variables.map(\.path))
    if let unknown = selection.variables.first(where: { !found.contains($0) }) {
      let others =
        contents.candidates.isEmpty
        ? "nothing with the dimensions of fields" : contents.candidates.prefix(50).joined(separator: ", ")
      throw DatasetError(
        .unknownName, path, "it has no variable \(unknown), but \(others)", advice: "correct --variables")
    }
    guard !contents.variables.isEmpty else {
      let booleans = contents.candidates.prefix(50).joined(separator: ", ")
      throw DatasetError(
        .wrongLayout, path,
        "it has no numbers in three or more dimensions" + (booleans.isEmpty ? "" : ", but booleans: \(booleans)"),
        advice: booleans.isEmpty
          ? "fields have the dimensions [time, y, x] or [time, level, y, x]" : "name booleans with --variables")
    }
    for variable in contents.variables {
      guard !variable.isUnwritten else {
        throw DatasetError(
          .truncated, path, "\(variable.path) is \(variable.shape), but most of its values were never written",
          advice: "write all of it, or choose other variables with --variables")
      }
      if let filter = variable.missingFilter {
        throw DatasetError(
          .unreadable, path, "\(variable.path) is compressed by \(filter), which libhdf5 here does not support",
          advice: filter.adviceIfMissing)
      }
    }
    return contents.variables
  }

  package var samplesPerPiece: Int {
    parts.map { $0.variable.chunkShape?[$0.axes.sample] ?? 1 }.max() ?? 1
  }

  package func read(_ samples: Range<Int>, into target: Tensor) throws {
    checkReading(samples, into: target)
    for part in parts { try read(part, samples, into: target) }
  }

  /// Reads in pieces that the child can hold: of several samples, or of one sample some levels, or of one level some
  /// rows.
  private func read(_ part: Part, _ samples: Range<Int>, into target: Tensor) throws {
    let levelCount = part.levels.count
    let rowCount = min(height, max(1, Self.pieceCount / width))
    let levelsAtOnce = rowCount < height ? 1 : min(levelCount, max(1, Self.pieceCount / (height * width)))
    let samplesAtOnce = levelsAtOnce < levelCount ? 1 : max(1, Self.pieceCount / (height * width * levelCount))
    for sample in stride(from: samples.lowerBound, to: samples.upperBound, by: samplesAtOnce) {
      for level in stride(from: 0, to: levelCount, by: levelsAtOnce) {
        for row in stride(from: 0, to: height, by: rowCount) {
          let levels = level..<min(level + levelsAtOnce, levelCount)
          let block = try read(
            part, samples: sample..<min(sample + samplesAtOnce, samples.upperBound), levels: levels,
            rows: row..<min(row + rowCount, height))
          block.copy(
            levels: Array(0..<levels.count), to: Array(part.channels[levels]), of: target,
            sample: sample - samples.lowerBound, row: row)
        }
      }
    }
  }

  private func read(
    _ part: Part, samples: Range<Int>, levels: Range<Int>, rows: Range<Int>
  ) throws -> FieldBlock {
    let (variable, axes) = (part.variable, part.axes)
    var ranges = variable.shape.map { 0..<$0 }
    ranges[axes.sample] = samples
    ranges[axes.y] = rows
    let indices = axes.channel.map { _ in Array(part.levels[levels]) } ?? []
    let question = FieldValuesQuestion(
      path: path, variable: variable.path, shape: variable.shape, ranges: ranges, chosenAxis: axes.channel,
      chosenIndices: indices, decoding: variable.decoding)
    let answer = try DatasetError.naming(path) { try reader.ask(question) }
    var lengths = ranges.map(\.count)
    if let channel = axes.channel { lengths[channel] = indices.count }
    let values = Tensor(uninitialised: lengths)
    guard answer.count == values.count * MemoryLayout<Float>.size else {
      throw DatasetError(.unreadable, path, "\(variable.path) gave \(answer.count) bytes for \(lengths)")
    }
    values.withUnsafeMutableBytes { $0.copyBytes(from: answer) }
    return FieldBlock(values: values, lengths: lengths, axes: axes)
  }
}

extension FieldFileContents {
  /// The names of a variable's dimensions; nil where they have none. None at all for MATLAB's arrays.
  func dimensions(of variable: Variable) -> [FieldDimension?] {
    if variable.isReversed { return [] }
    let names = zip(variable.scales, variable.labels).map { scale, label in
      scale.map { lastPart(ofPath: $0) } ?? label
    }
    return names.indices.map { axis in
      let scale = variable.scales[axis]
      let role = scale.flatMap { roles[$0] } ?? FieldRole.named(names[axis], among: names)
      // Dimensions of scales are NetCDF's, whose usual order is known. A label that says nothing is not even a name.
      return scale == nil && role == nil ? nil : FieldDimension(name: names[axis], role: role)
    }
  }

  /// The paths of a variable's coordinates that have one value for each point of the grid, as of a curvilinear grid.
  func planes(of variable: Variable, height: Int, width: Int) -> [String] {
    let usual = Self.namesOfAxes.y + Self.namesOfAxes.x + ["nav_lat", "nav_lon", "xlat", "xlong"]
    return planes.keys.sorted().filter { path in
      let (name, shape) = (lastPart(ofPath: path), planes[path] ?? [])
      return (shape == [height, width] || shape == [width, height])
        && (variable.coordinates.contains(name) || usual.contains(name.lowercased()))
    }
  }

  /// The coordinates of an axis; nil if there are none that fit.
  func axis(_ axis: Int, of variable: Variable, _ role: FieldRole) -> FieldAxis? {
    pathOfAxis(axis, of: variable, role).flatMap { axes[$0] }
  }

  /// The dataset of an axis's coordinates, by its dimension scale or, if none is attached to any axis, by a usual name; nil
  /// if there is none that fits.
  func pathOfAxis(_ axis: Int, of variable: Variable, _ role: FieldRole) -> String? {
    pathsOfAxis(axis, of: variable, role).first { axes[$0]?.isComplete == true }
  }

  /// The dataset of coordinates that would be those of an axis if none of them were missing or infinite; nil if there is
  /// none.
  func pathOfIncompleteAxis(_ axis: Int, of variable: Variable, _ role: FieldRole) -> String? {
    let paths = pathsOfAxis(axis, of: variable, role)
    return paths.contains { axes[$0]?.isComplete == true } ? nil : paths.first
  }

  /// The datasets whose number of values is that of an axis.
  private func pathsOfAxis(_ axis: Int, of variable: Variable, _ role: FieldRole) -> [String] {
    let length = variable.shape[axis]
    func fits(_ path: String) -> Bool { axes[path]?.values.count == length }
    if variable.scales.contains(where: { $0 != nil }) {
      return [variable.scales[axis]].compactMap(\.self).filter(fits)
    }
    let names =
      switch role {
      case .sample: [String]()
      case .channel: Self.namesOfAxes.levels
      case .y: Self.namesOfAxes.y
      case .x: Self.namesOfAxes.x
      }
    // In the order of paths, so that the choice does not depend on the dictionary's order.
    return axes.keys.sorted().filter { names.contains(lastPart(ofPath: $0).lowercased()) && fits($0) }
  }
}
