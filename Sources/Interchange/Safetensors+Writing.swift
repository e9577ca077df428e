import FoundationEssentials

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
    var fields: [String: String] = metadata.isEmpty ? [:] : ["__metadata__": json(metadata)]
    var end = 0
    for tensor in tensors {
      let start = end
      end += 4 * tensor.values.count
      let field = TensorField(dtype: FloatType.float32.rawValue, shape: tensor.shape, offsets: [start, end])
      precondition(fields.updateValue(json(field), forKey: tensor.name) == nil, "\(tensor.name) must occur once")
    }
    let pairs = fields.map { (order: orderInHeader($0.key), text: "\(json($0.key)):\($0.value)") }
    let sorted = pairs.sorted { $0.order.lexicographicallyPrecedes($1.order) }
    var header = Data("{\(sorted.map(\.text).joined(separator: ","))}".utf8)
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

  private struct TensorField: Encodable {
    let dtype: String
    let shape: [Int]
    let offsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }
  }

  private static func json(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    guard let code = try? encoder.encode(value) else { preconditionFailure("names, shapes and texts are JSON") }
    return String(decoding: code, as: UTF8.self)
  }

  /// What fields are sorted by, so that a reader finds `blocks.10` after `blocks.2`: marks, numbers by their value, then
  /// letters, whether large or small.
  private static func orderInHeader(_ name: String) -> [Int] {
    var order: [Int] = []
    var number: Int?
    for scalar in name.lowercased().unicodeScalars {
      if let digit = Int(String(scalar)) {
        number = min(10 * (number ?? 0) + digit, 1 << 40)
        continue
      }
      if let value = number { order.append(2 + value) }
      number = nil
      switch scalar {
      case "_": order.append(0)
      case ".": order.append(1)
      default: order.append(1 << 41 + Int(scalar.value))
      }
    }
    if let number { order.append(2 + number) }
    // Names that differ in something else.
    return order + [-1] + name.unicodeScalars.map { Int($0.value) }
  }
}
