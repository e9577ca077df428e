import Files
import HDF5
import Tensors

/// Fields in a file of another program: samples of one or more channels on a common grid, in physical units. They are
/// read piece by piece. Only one thread may use it.
package protocol FieldSource: AnyObject {
  var path: String { get }
  /// The number of samples.
  var count: Int { get }
  var height: Int { get }
  var width: Int { get }
  var channels: [FieldChannel] { get }
  var coordinates: FieldCoordinates { get }
  /// What a user should know of how the file is read, a line each.
  var remarks: [String] { get }
  /// The number of consecutive samples that the file stores together, and that are best read together.
  var samplesPerPiece: Int { get }

  /// Overwrites `target`, [samples.count, H, W, C], with the values of consecutive samples, rounded to single precision.
  /// Missing values become NaN; other values may be NaN or infinite too.
  /// - Throws: `DatasetError` if they cannot be read.
  func read(_ samples: Range<Int>, into target: Tensor) throws
}

extension FieldSource {
  /// Checks the arguments of `read`.
  func checkReading(_ samples: Range<Int>, into target: Tensor) {
    precondition(
      samples.lowerBound >= 0 && samples.upperBound <= count, "there are no samples \(samples) among \(count)")
    verify(
      target.shape == [samples.count, height, width, channels.count],
      "a target of \(target.shape) for \(samples.count) samples")
  }
}

/// What a channel is, without its values.
package struct FieldChannel: Sendable, Equatable {
  package var name: String
  package var units: String
  package var longName: String

  package init(name: String, units: String = "", longName: String = "") {
    self.name = name
    self.units = units
    self.longName = longName
  }

  /// The channel that `ddpm-mpi pack --missing mask` adds for a variable with missing values: 1 where a value is present, 0
  /// where the mean stands for it.
  static func mask(of name: String) -> FieldChannel {
    FieldChannel(name: name + "_mask", units: "1", longName: "1 where \(name) is present")
  }
}

/// What to read from a file of fields.
package struct FieldSelection: Sendable, Equatable {
  /// The names of variables or arrays, in the order of channels; if empty, all that have the dimensions of fields.
  package var variables: [String] = []
  /// The order of an array's dimensions; nil if the file says it.
  package var order: FieldOrder?
  /// The levels to read of variables that have several, as coordinates or, without coordinates, as indices from 0; if
  /// empty, all of them.
  package var levels: [Double] = []

  package init() {}
}

/// The kinds of files that hold fields.
package enum FieldFile {
  /// Opens a file of fields.
  /// - Throws: `DatasetError` for a file that cannot be used.
  package static func open(_ path: String, _ selection: FieldSelection) throws -> any FieldSource {
    if isNumpy(path) { return try NumpyFields(path: path, selection) }
    if !HDF5File.isHDF5(path), let format = UnsupportedFormat.ofFields(path) { throw DatasetError(format, path) }
    return try HDF5Fields(path: path, selection)
  }

  /// Whether a file holds fields rather than images: it has no images under one of their usual names, but numbers in
  /// three or more dimensions that are more than a byte each. False if it cannot be read.
  package static func isRecognised(_ path: String) -> Bool {
    if isNumpy(path) { return NumpyFields.areIn(path) }
    return HDF5File.isHDF5(path) && HDF5Fields.areIn(path)
  }

  private static func isNumpy(_ path: String) -> Bool { isRegularFile(path) && NumpySource.canRead(path) }
}
