import Foundation

extension Safetensors {
  /// A tensor to write, row-major.
  package struct Tensor: Sendable {
    package let name: String
    package let shape: [Int]
    package let values: [Float]

    package init(_ name: String, shape: [Int], _ values: [Float]) {
      precondition(shape.reduce(1, *) == values.count, "\(name) must have the elements of its shape")
      self.name = name
      self.shape = shape
      self.values = values
    }
  }

  /// The contents of a file with `tensors` in single precision, sorted by name.
  package static func contents(of tensors: [Tensor], metadata: [String: String] = [:]) -> Data {
    let tensors = tensors.sorted { $0.name < $1.name }
    var fields: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
    var end = 0
    for tensor in tensors {
      let start = end
      end += 4 * tensor.values.count
      let field: [String: Any] = [
        "dtype": FloatType.float32.rawValue, "shape": tensor.shape, "data_offsets": [start, end],
      ]
      precondition(fields.updateValue(field, forKey: tensor.name) == nil, "\(tensor.name) must occur once")
    }
    guard var header = try? JSONSerialization.data(withJSONObject: fields, options: [.sortedKeys]) else {
      preconditionFailure("names, shapes and texts are JSON")
    }
    // Readers map the elements in place; the format pads its header with spaces.
    header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - header.count % 8) % 8))
    var contents = Data(capacity: 8 + header.count + end)
    withUnsafeBytes(of: UInt64(header.count).littleEndian) { contents.append(contentsOf: $0) }
    contents.append(header)
    for tensor in tensors {
      #if _endian(little)
        tensor.values.withUnsafeBytes { contents.append(contentsOf: $0) }
      #else
        for value in tensor.values {
          withUnsafeBytes(of: value.bitPattern.littleEndian) { contents.append(contentsOf: $0) }
        }
      #endif
    }
    return contents
  }
}
