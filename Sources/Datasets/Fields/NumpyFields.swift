import Files
import Interchange
import Tensors

/// Arrays of NumPy's as fields: a single one (`.npy`), or those of an archive (`.npz`).
package final class NumpyFields: FieldSource {
  private struct Part {
    let array: NumpyNumbers
    let axes: FieldAxes
    /// Those of the array's channels that are read.
    let levels: [Int]
    /// The channels that they become.
    let channels: [Int]

    /// [samples, H, W].
    var gridShape: [Int] { axes.gridShape(array.shape) }
  }

  package let path: String
  package let count: Int
  package let height: Int
  package let width: Int
  package let channels: [FieldChannel]
  package let coordinates: FieldCoordinates
  package let remarks: [String]
  package let samplesPerPiece = 1
  private let parts: [Part]

  /// The name of an array in a file of its own.
  static let nameOfSingle = "field"

  /// - Throws: `DatasetError`.
  package init(path: String, _ selection: FieldSelection) throws(DatasetError) {
    let all: (numbers: [NumpyNumbers], otherTypes: [String: String])
    do { all = try NumpyNumbers.arrays(in: path) } catch { throw DatasetError(error) }
    let arrays = try Self.chosen(all.numbers, all.otherTypes, selection.variables, path)
    for array in arrays {
      do { try array.requireReadable() } catch { throw DatasetError(error) }
    }
    var parts: [Part] = []
    var channels: [FieldChannel] = []
    for array in arrays {
      let name = array.name.isEmpty ? Self.nameOfSingle : array.name
      guard selection.order != .hwcn else {
        throw DatasetError(
          .wrongDimensions, path, "--order hwcn is not for NumPy's files, of which samples are read one by one",
          advice: "write the array with samples first (numpy.moveaxis)")
      }
      let axes = try FieldAxes(shape: array.shape, selection.order, name, path)
      let levels = try FieldLevels(
        name, axis: nil, count: axes.channelCount(array.shape), hasAxis: axes.channel != nil, selection.levels, path)
      let first = channels.count
      parts.append(
        Part(
          array: array, axes: axes, levels: levels.indices, channels: levels.indices.indices.map { first + $0 }))
      channels += levels.names.map { FieldChannel(name: $0) }
    }
    let shape = parts[0].gridShape
    if let other = parts.first(where: { $0.gridShape != shape }) {
      throw DatasetError(
        .wrongDimensions, path,
        "\(other.array.name) has the shape \(other.gridShape) (samples, y, x), but \(parts[0].array.name) has "
          + "\(shape)", advice: "choose arrays of one shape with --variables")
    }
    guard selection.levels.isEmpty || parts.contains(where: { $0.axes.channel != nil }) else {
      throw DatasetError(
        .wrongDimensions, path, "its arrays have no channels to choose from", advice: "remove --levels")
    }
    self.path = path
    (count, height, width) = (shape[0], shape[1], shape[2])
    self.channels = channels
    let y = try Self.axis(FieldFileContents.namesOfAxes.y, count: shape[1], all.numbers)
    let x = try Self.axis(FieldFileContents.namesOfAxes.x, count: shape[2], all.numbers)
    coordinates = FieldCoordinates(
      y: y.flatMap { $0.isComplete ? $0 : nil }, x: x.flatMap { $0.isComplete ? $0 : nil })
    remarks = [y, x].compactMap(\.self).filter { !$0.isComplete }.map { FieldAxis.remark(onIncomplete: $0.name) }
    self.parts = parts
  }

  /// Whether a file has arrays that can be fields and are no images.
  static func areIn(_ path: String) -> Bool {
    guard let arrays = try? NumpyNumbers.arrays(in: path).numbers else { return false }
    if arrays.contains(where: { NumpySource.isNameOfImages($0.name, areBytes: $0.type.isByte) }) { return false }
    return arrays.contains { $0.shape.count > 2 && $0.type.byteCount > 1 }
  }

  /// - Parameter otherTypes: the types of those arrays that are no numbers, by their names.
  private static func chosen(
    _ arrays: [NumpyNumbers], _ otherTypes: [String: String], _ names: [String], _ path: String
  ) throws(DatasetError) -> [NumpyNumbers] {
    if arrays.count == 1, arrays[0].name.isEmpty {
      guard names.isEmpty || names == [nameOfSingle] else {
        throw DatasetError(
          .unknownName, path, "it is a single array, which has no name",
          advice: "remove --variables, and name its channels with --names")
      }
      return arrays
    }
    let candidates = arrays.filter { $0.shape.count > 2 }
    let list =
      candidates.isEmpty
      ? "nothing with the dimensions of fields" : candidates.prefix(50).map(\.name).joined(separator: ", ")
    if names.isEmpty {
      // Booleans are masks, which are fields only for those who name them.
      let fields = candidates.filter { !$0.type.isBoolean }
      guard !fields.isEmpty else {
        throw DatasetError(
          .wrongLayout, path,
          "it has no numbers in three or more dimensions" + (candidates.isEmpty ? "" : ", but booleans: \(list)"),
          advice: candidates.isEmpty
            ? "fields have the dimensions [N, H, W] or [N, H, W, C]" : "name booleans with --variables")
      }
      return fields
    }
    var chosen: [NumpyNumbers] = []
    for name in names {
      if let type = otherTypes[name] {
        throw DatasetError(
          .wrongLayout, path, "\(name) has elements of type \(type), not \(NumberType.description)",
          advice: "convert it with NumPy's astype")
      }
      guard let array = arrays.first(where: { $0.name == name }) else {
        throw DatasetError(.unknownName, path, "it has no array \(name), but \(list)", advice: "correct --variables")
      }
      chosen.append(array)
    }
    return chosen
  }

  /// The coordinates of an axis, in an array of a usual name; some may be missing or infinite.
  private static func axis(
    _ names: [String], count: Int, _ arrays: [NumpyNumbers]
  ) throws(DatasetError) -> FieldAxis? {
    guard let array = arrays.first(where: { names.contains($0.name.lowercased()) && $0.shape == [count] }) else {
      return nil
    }
    do throws(InterchangeError) {
      try array.requireReadable()
      let values = try array.values(0..<count, as: Double.self)
      return FieldAxis(name: array.name, values: values)
    } catch { throw DatasetError(error) }
  }

  package func read(_ samples: Range<Int>, into target: Tensor) throws {
    checkReading(samples, into: target)
    for part in parts {
      let shape = Array(part.array.shape.dropFirst())
      let size = shape.reduce(1, *)
      for sample in samples {
        let values: [Float]
        do { values = try part.array.values(sample * size..<(sample + 1) * size, as: Float.self) } catch {
          throw DatasetError(error)
        }
        copy(values, of: part, to: target, sample: sample - samples.lowerBound)
      }
    }
  }

  private func copy(_ values: [Float], of part: Part, to target: Tensor, sample: Int) {
    let block = FieldBlock(
      values: Tensor(values, shape: [values.count]), lengths: [1] + part.array.shape.dropFirst(), axes: part.axes)
    block.copy(levels: part.levels, to: part.channels, of: target, sample: sample)
  }
}
