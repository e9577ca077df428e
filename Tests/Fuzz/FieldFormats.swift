import Datasets
import Foundation
import HDF5
import Interchange
import Packing
import Tensors

/// Reads all values of a file of fields.
private func readAll(_ path: String, _ order: FieldOrder? = nil) throws {
  var selection = FieldSelection()
  selection.order = order
  let fields = try JoinedFields([FieldFile.open(path, selection)])
  let values = Tensor(uninitialised: [1, fields.height, fields.width, fields.channels.count])
  for sample in 0..<fields.count { try fields.read(sample..<sample + 1, into: values) }
}

/// A file of two variables, as another program may write it.
private func fieldFile() throws -> [UInt8] {
  try contents { path in
    let file = try HDF5File.create(path)
    for (name, shape) in [("u", [3, 4, 5]), ("lat", [4])] {
      let dataset = try file.createDataset(name, shape: shape, type: .float64)
      try dataset.writeAll((0..<dataset.count).map { Double($0) })
      try dataset.close()
    }
    try file.writeAttribute("units", "m s-1", of: "u")
    try file.writeAttribute("DIMENSION_LABELS", ["time", "lat", "lon"], of: "u")
    for (name, value) in [("scale_factor", 0.5), ("add_offset", 2), ("_FillValue", 7)] {
      try file.writeAttribute(name, value, of: "u")
    }
    try file.close()
  }
}

private func packedFields() throws -> [UInt8] {
  try contents { path in
    let source = path + ".source"
    defer { try? FileManager.default.removeItem(atPath: source) }
    try Data(arrayFile()).write(to: URL(fileURLWithPath: source))
    let fields = try JoinedFields([FieldFile.open(source, FieldSelection())])
    let packer = try FieldPacker(name: "fields", training: fields, test: fields)
    _ = try packer.write(to: path, workers: .callingThread)
  }
}

/// An array of 3x2x4 numbers in NumPy's format.
private func arrayFile() -> [UInt8] {
  let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2, 4), }"
  let padded = header.padding(toLength: 117, withPad: " ", startingAt: 0) + "\n"
  let values = (0..<24).flatMap { bigEndian((Float($0) / 8).bitPattern.byteSwapped) }
  return [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(padded.utf8) + values
}

/// Texts and numbers are changed alike.
private let mixedMutation: Format.Mutation = {
  Bool.random(using: &$2) ? Mutator.text($0, $1, using: &$2) : Mutator.bytes($0, $1, using: &$2)
}

let fieldFormats = [
  Format(
    name: "fields",
    example: { Example(["fields.h5": try packedFields()]) },
    read: { folder in
      _ = PackedFields.areIn("\(folder)/fields.h5")
      let inspection = try PackedFieldsInspection(path: "\(folder)/fields.h5")
      _ = inspection.table
      if let damaged = inspection.parts.flatMap(\.damaged).first { throw damaged.error }
    }),
  Format(
    name: "foreign-fields",
    example: { Example(["fields.nc": try fieldFile()]) },
    read: { folder in
      _ = FieldFile.isRecognised("\(folder)/fields.nc")
      try readAll("\(folder)/fields.nc")
    }),
  Format(
    name: "field-array",
    example: { Example(["fields.npy": arrayFile()]) },
    mutate: mixedMutation,
    read: { folder in
      _ = FieldFile.isRecognised("\(folder)/fields.npy")
      try readAll("\(folder)/fields.npy", .nhwc)
    }),
  Format(
    name: "field-archive",
    example: {
      let arrays = ["u", "v"].map { NumpyArchive.Array($0, shape: [2, 2, 3], (0..<12).map { Double($0) }) }
      return Example(["fields.npz": [UInt8](try NumpyArchive.contents(of: arrays, path: "fields.npz"))])
    },
    mutate: mixedMutation,
    repair: repairZip,
    read: { try readAll("\($0)/fields.npz") }),
]
