import Datasets
import Failures
import FieldPictures
import HDF5
import Images
import MessagePassing
import Tensors

/// Writes drawn fields in physical units: into one file (`FieldWriter`), as pictures, and the first ones on a sheet,
/// beside what was given.
final class DrawnFieldWriter: DrawnWriter {
  private let outputs: ImageOutputs
  private let drawn: DrawnSet
  private let description: FieldDescription
  private let communicator: Communicator
  private let frameCount: Int?
  private let file: FieldWriter?
  private let folder: PictureFolder?
  /// The shape of a row of the sheet, [H, W, k + C].
  private let panelShape: [Int]
  /// The rows of the sheet.
  private let rowCount: Int
  /// This rank's values of them.
  private var panels: [Float] = []

  /// A longer sheet shows nothing at a glance.
  private static let maximumRowCount = 64
  /// 256 MiB.
  private static let maximumValueCount = 1 << 26

  /// Collective.
  /// - Parameters:
  ///   - shape: [H, W, C].
  ///   - frameCount: the number of pictures of the sampling process of each field; nil for the final field only.
  /// - Throws: `JobFailure` on all ranks.
  init(
    _ outputs: ImageOutputs, _ drawn: DrawnSet, _ description: FieldDescription, shape: [Int], frameCount: Int?,
    communicator: Communicator
  ) throws {
    self.outputs = outputs
    self.drawn = drawn
    self.description = description
    self.communicator = communicator
    self.frameCount = frameCount
    let panelShape = [shape[0], shape[1], description.panelVariables.count]
    self.panelShape = panelShape
    let capacity = FieldSheet.capacity(shape: panelShape)
    try communicator.together { try Self.check(outputs, panelShape, capacity: capacity) }
    let room = max(Self.maximumValueCount / panelShape.reduce(1, *), 1)
    rowCount = outputs.grid == nil ? 0 : min(drawn.numbers.count, capacity, Self.maximumRowCount, room)
    folder = try outputs.images.map {
      try PictureFolder($0, drawn, frameCount: frameCount, communicator: communicator)
    }
    file = try outputs.file.map { path in
      try FieldWriter(
        path, variables: description.variables.map { FieldWriter.Variable($0) }, shape: Array(shape[0..<2]),
        count: drawn.count, members: drawn.members, first: drawn.first, axes: description.coordinates.axes,
        communicator: communicator)
    }
  }

  /// - Throws: `InputError` for outputs that fields do not have.
  private static func check(_ outputs: ImageOutputs, _ panelShape: [Int], capacity: Int) throws(InputError) {
    if outputs.writesFloats {
      throw InputError("--float is for images; the model draws fields, which are floats in any case")
    }
    if outputs.every != nil && outputs.grid != nil {
      throw InputError(
        "--every with --grid is for images: a row of a sheet of fields has a panel for each variable; give --images, "
          + "which writes the steps as files")
    }
    if let path = outputs.grid ?? outputs.images, capacity == 0 {
      throw InputError(
        "\(path): \(panelShape[2]) variables of \(panelShape[0])x\(panelShape[1]) are more than a picture can hold; give "
          + "--output only")
    }
  }

  func write(_ batch: ImageBatch) throws {
    let fields = description.physical(batch.images, as: description.variables)
    let rows = batch.numbers.moved(by: -drawn.numbers.lowerBound)
    try file?.write(fields, at: rows)
    if frameCount == nil { try writePictures(fields, batch.numbers, picture: 0) }
    let shown = rows.clamped(to: 0..<rowCount)
    if shown.isEmpty { return }
    panels += description.panels(fields, given: batch.given)[0..<shown.count].elements
  }

  func writeTrajectory(_ images: Tensor, _ numbers: Range<Int>, picture: Int) throws {
    if folder == nil { return }
    try writePictures(description.physical(images, as: description.variables), numbers, picture: picture)
  }

  /// - Parameter fields: in physical units.
  private func writePictures(_ fields: Tensor, _ numbers: Range<Int>, picture: Int) throws {
    try folder?.add(numbers, picture: picture) { row in try description.picture(fields[image: row]) }
  }

  func publish(describe: (borrowing HDF5File) throws -> Void) throws {
    let all = try rowCount > 0 ? communicator.gather(panels, to: 0) : nil
    try folder?.publish()
    try file?.finish(describe: describe)
    try communicator.together {
      guard let all, let path = outputs.grid else { return }
      let sheet = try FieldSheet(Tensor(all, shape: [rowCount] + panelShape), description.panelVariables)
      try PNG.write(sheet.image(), to: path)
    }
  }

  func abandon() { file?.abandon() }
}

extension FieldWriter.Variable {
  init(_ variable: FieldVariable) {
    self.init(
      variable.name, units: variable.units, longName: variable.longName.isEmpty ? nil : variable.longName)
  }
}

extension FieldCoordinates {
  /// The directions of the grid, y and x.
  var axes: [FieldWriter.Axis] {
    [("y", y), ("x", x)].map { name, axis in
      axis.map { FieldWriter.Axis($0.name, coordinates: $0.values, units: $0.units) } ?? FieldWriter.Axis(name)
    }
  }
}
