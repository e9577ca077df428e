import Datasets
import Failures
import Files
import HDF5
import MessagePassing
import Ranks
import Tensors

/// Writes fields batch by batch as they are computed: all ranks write into one file, which appears completely or not at
/// all. It is an HDF5 file that netCDF-4's readers open: a variable for each channel, float32 [sample, y, x] or, for
/// several members of each condition, [condition, member, y, x], with coordinates and units.
package final class FieldWriter {
  /// One channel of the fields.
  package struct Variable: Sendable {
    package let name: String
    /// Empty if there are none.
    package let units: String
    /// What plots are labelled with; by default the name.
    package let longName: String

    package init(_ name: String, units: String = "", longName: String? = nil) {
      self.name = name
      self.units = units
      self.longName = longName ?? name
    }
  }

  /// A direction of space.
  package struct Axis: Sendable {
    package let name: String
    /// nil if they are not known.
    package let coordinates: [Double]?
    /// Of the coordinates; empty if there are none.
    package let units: String

    package init(_ name: String, coordinates: [Double]? = nil, units: String = "") {
      self.name = name
      self.coordinates = coordinates
      self.units = units
    }
  }

  private let output: SharedOutput
  /// Where the file has the variables.
  private let locations: [DatasetLocation]
  private let shape: [Int]
  /// The indices of all fields.
  private let indices: Range<Int>

  /// Collective, with the same arguments on all ranks.
  /// - Parameters:
  ///   - path: the file.
  ///   - variables: one for each channel.
  ///   - shape: [H, W].
  ///   - count: the number of samples or conditions of all ranks.
  ///   - members: the number of fields for each condition; nil for samples without conditions.
  ///   - first: the number of the first sample or condition, which its coordinate begins with.
  ///   - axes: those of y and x.
  /// - Throws: `JobFailure` on all ranks, or an error on this rank alone.
  package init(
    _ path: String, variables: [Variable], shape: [Int], count: Int, members: Int? = nil, first: Int = 0,
    axes: [Axis] = [Axis("y"), Axis("x")], communicator: Communicator
  ) throws {
    precondition(shape.count == 2 && axes.count == 2, "fields have two directions")
    precondition(count > 0 && members ?? 1 > 0 && (0..<1 << 60).contains(first), "there is nothing to write")
    let dimensions = (members == nil ? ["sample"] : ["condition", "member"]) + axes.map(\.name)
    let sizes = [count] + (members.map { [$0] } ?? []) + shape
    let byteCount = try communicator.together {
      try Self.check(variables.map(\.name) + dimensions, in: path)
      for (axis, length) in zip(axes, shape) { try axis.check(length: length, in: path) }
      return try Self.byteCount(sizes, variables: variables.count, in: path)
    }
    self.shape = shape
    indices = 0..<count * (members ?? 1)
    let output = try SharedOutput(path, byteCount: byteCount, communicator: communicator)
    self.output = output
    let numbers = [first..<first + count] + (members.map { [0..<$0] } ?? [])
    locations = try output.define { (file: borrowing HDF5File) throws -> [DatasetLocation] in
      for (name, numbers) in zip(dimensions, numbers) {
        try Self.createScale(name, numbers.map(Int64.init), in: file)
      }
      for (axis, length) in zip(axes, shape) { try Self.create(axis, length: length, in: file) }
      var locations: [DatasetLocation] = []
      for variable in variables {
        locations.append(try Self.create(variable, sizes, dimensions: dimensions, in: file))
      }
      return locations
    }
  }

  /// Writes fields of this rank. Ranks write independently of each other.
  /// - Parameters:
  ///   - fields: [n, H, W, C] in physical units.
  ///   - batch: their indices among all fields, from 0; member m of condition i is field i · members + m.
  /// - Throws: `SharedFileError`.
  package func write(_ fields: Tensor, at batch: Range<Int>) throws(SharedFileError) {
    precondition(fields.shape == [batch.count] + shape + [locations.count], "\(fields.shape) are other fields")
    precondition(batch.clamped(to: indices) == batch, "the file has no room for fields \(batch)")
    let size = shape.reduce(1, *)
    let channel = Tensor(uninitialised: [batch.count * size])
    for (number, location) in locations.enumerated() {
      for point in 0..<channel.count { channel[point] = fields[point * locations.count + number] }
      try output.write(batch.lowerBound * size..<batch.upperBound * size, of: location, from: channel)
    }
  }

  /// Publishes the file. Collective, after all ranks have written their fields.
  /// - Parameter describe: writes further attributes; called on rank 0.
  /// - Throws: `JobFailure` on all ranks, or an error on this rank alone.
  package func finish(describe: (borrowing HDF5File) throws -> Void = { _ in }) throws {
    try output.publish(describe: describe)
  }

  /// Removes the file, after an error that all ranks know of. Collective.
  package func abandon() { output.abandon() }
}

// The parts of the file.
extension FieldWriter {
  private static func create(_ axis: Axis, length: Int, in file: borrowing HDF5File) throws(HDF5Error) {
    guard let coordinates = axis.coordinates else { return try file.createDimension(axis.name, length: length).close() }
    try createScale(axis.name, coordinates, in: file)
    if !axis.units.isEmpty { try file.writeAttribute("units", axis.units, of: axis.name) }
  }

  private static func createScale<Element: HDF5Element>(
    _ name: String, _ coordinates: [Element], in file: borrowing HDF5File
  ) throws(HDF5Error) {
    let scale = try file.createDataset(name, shape: [coordinates.count], type: Element.elementType)
    try scale.writeAll(coordinates)
    try scale.makeScale(name)
    try scale.close()
  }

  private static func create(
    _ variable: Variable, _ shape: [Int], dimensions: [String], in file: borrowing HDF5File
  ) throws(HDF5Error) -> DatasetLocation {
    let dataset = try file.createDataset(variable.name, shape: shape, type: .float32)
    for (dimension, name) in dimensions.enumerated() {
      let scale = try file.openDataset(name)
      try dataset.attachScale(scale, to: dimension)
      try scale.close()
    }
    try file.writeAttribute("long_name", variable.longName, of: variable.name)
    if !variable.units.isEmpty { try file.writeAttribute("units", variable.units, of: variable.name) }
    return try dataset.location()
  }
}

// What a file can hold.
extension FieldWriter {
  private static func check(_ names: [String], in path: String) throws(InputError) {
    if let problem = FieldNames.problem(with: names) { throw InputError("\(path): \(problem)") }
  }

  /// The approximate size of the file.
  private static func byteCount(_ shape: [Int], variables: Int, in path: String) throws(InputError) -> Int {
    // Each coordinate takes eight bytes, and there are no more of them than elements.
    guard variables > 0, let elements = checkedProduct(shape + [variables]), elements < 1 << 58 else {
      throw InputError("\(path): \(variables) variables of \(shape) are not what a file can hold; write fewer samples")
    }
    return elements * 4 + shape.reduce(0, +) * 8 + 1 << 16
  }
}

extension FieldWriter.Axis {
  fileprivate func check(length: Int, in path: String) throws(InputError) {
    guard let coordinates, coordinates.count != length else { return }
    throw InputError(
      "\(path): the axis '\(name)' has \(coordinates.count) coordinates, but the fields have \(length) points along it")
  }
}
