import HDF5

/// How a variable's stored numbers become values (CF Conventions, sections 2.5.1 and 8.1): value = number · scale_factor
/// + add_offset, computed in double precision.
struct FieldDecoding: Codable, Sendable, Equatable {
  var scale: Double?
  var offset: Double?
  /// Numbers that stand for missing values.
  var fills: [Double] = []
  /// What is added to negative numbers, if unsigned ones are stored as signed (`_Unsigned`); otherwise 0.
  var wrap = 0.0

  /// What NetCDF's library stores where nothing was written and no other number was chosen (NC_FILL_FLOAT).
  static let usualFill = 0x1.ep+122

  /// NaN for a missing value.
  func value(_ number: Double) -> Float {
    if number.isNaN || fills.contains(number) { return .nan }
    var value = number < 0 ? number + wrap : number
    if let scale { value *= scale }
    if let offset { value += offset }
    return Float(value)
  }
}

extension FieldDecoding {
  /// - Throws: `HDF5Error` if an attribute has another type or number of values.
  init(_ dataset: String, _ storage: HDF5Numbers.Storage, of file: borrowing HDF5File) throws(HDF5Error) {
    scale = try Self.number("scale_factor", dataset, file)
    offset = try Self.number("add_offset", dataset, file)
    var fills: [Double] = []
    for name in ["_FillValue", "missing_value"] where try file.attributeExists(name, of: dataset) {
      fills += try file.readAttribute(name, of: dataset, as: [Double].self)
    }
    switch storage {
    case .float(let byteCount):
      if fills.isEmpty { fills = [Self.usualFill] }
      // The attribute may be in double precision, the numbers in single.
      if byteCount == 4 { fills = fills.map { Double(Float($0)) } }
    case .signed(let byteCount):
      if try file.text("_Unsigned", of: dataset).lowercased() == "true" {
        wrap = Double(sign: .plus, exponent: 8 * byteCount, significand: 1)
      }
    case .unsigned, .boolean: break
    }
    self.fills = fills
  }

  private static func number(
    _ name: String, _ dataset: String, _ file: borrowing HDF5File
  ) throws(HDF5Error) -> Double? {
    guard try file.attributeExists(name, of: dataset) else { return nil }
    return try file.readAttribute(name, of: dataset, as: Double.self)
  }
}

extension HDF5File {
  /// The text of an attribute; empty if there is none, or it is not a single text in UTF-8.
  borrowing func text(_ name: String, of dataset: String) throws(HDF5Error) -> String {
    guard try attributeExists(name, of: dataset) else { return "" }
    do { return try readAttribute(name, of: dataset, as: String.self) } catch {
      guard error.reason == .wrongType else { throw error }
      return ""
    }
  }
}
