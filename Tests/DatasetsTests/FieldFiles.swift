import Datasets
import Foundation
import HDF5
import Tensors
import TestSupport

/// Values that single precision holds exactly, different at each position: [N, H, W].
func fieldValues(_ count: Int, _ height: Int, _ width: Int, channel: Int = 0) -> [Double] {
  (0..<count * height * width).map { Double(($0 * 37 + channel * 1009) % 2003) / 8 - 100 }
}

/// Writes numbers of a shape to a new HDF5 file.
func writeHDF5(
  _ path: String, _ datasets: [(name: String, shape: [Int], values: [Double])],
  attributes: (borrowing HDF5File) throws -> Void = { _ in }
) throws {
  let file = try HDF5File.create(path)
  for (name, shape, values) in datasets {
    let dataset = try file.createDataset(name, shape: shape, type: .float64)
    try dataset.writeAll(values)
    try dataset.close()
  }
  try attributes(file)
  try file.close()
}

/// An array in NumPy's format.
func numpyFile(_ type: String, _ shape: [Int], _ bytes: [UInt8], isColumnMajor: Bool = false) -> [UInt8] {
  let sizes = shape.map { "\($0)," }.joined(separator: " ")
  let header = "{'descr': '\(type)', 'fortran_order': \(isColumnMajor ? "True" : "False"), 'shape': (\(sizes)), }\n"
  return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + bytes
}

/// The bytes of numbers, lowest first.
func littleEndian(_ numbers: [some FixedWidthInteger]) -> [UInt8] {
  numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { Array($0) } }
}

/// All values of a source, [N, H, W, C].
func allValues(_ source: any FieldSource) throws -> [Float] {
  let values = Tensor(uninitialised: [source.count, source.height, source.width, source.channels.count])
  try source.read(0..<source.count, into: values)
  return values.elements
}

/// All values of a packed file, [N, H, W, C].
func allValues(_ fields: PackedFields) throws -> [Float] {
  let values = Tensor(uninitialised: [fields.count] + fields.fieldShape)
  for index in 0..<fields.count { try fields.copyValues(of: index, into: values, at: index) }
  return values.elements
}

/// Values of several channels, each [N, H, W], as [N, H, W, C].
func interleaved(_ channels: [[Double]]) -> [Float] {
  channels[0].indices.flatMap { index in channels.map { Float($0[index]) } }
}
