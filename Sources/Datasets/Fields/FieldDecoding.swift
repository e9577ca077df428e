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

  /// What NetCDF's library stores where nothing was written and no other number was chosen (`NC_FILL_FLOAT`,
  /// `NC_FILL_SHORT` and so on), in double precision; nil for bytes, of which all values are valid (NetCDF User's Guide,
  /// "Attribute Conventions").
  static func usualFill(_ storage: HDF5Numbers.Storage) -> Double? {
    switch storage {
    case .float: 0x1.ep+122
    case .signed(byteCount: 2): -32_767
    case .signed(byteCount: 4): -2_147_483_647
    // −2⁶³ + 2 and 2⁶⁴ − 2.
    case .signed(byteCount: 8): -0x1p63
    case .unsigned(byteCount: 2): 65_535
    case .unsigned(byteCount: 4): 4_294_967_295
    case .unsigned(byteCount: 8): 0x1p64
    case .signed, .unsigned, .boolean: nil
    }
  }

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
  init(
    _ dataset: String, _ numbers: borrowing HDF5Numbers, of file: borrowing HDF5File
  ) throws(HDF5Error) {
    scale = try Self.number("scale_factor", dataset, file)
    offset = try Self.number("add_offset", dataset, file)
    fills = try Self.numbers("_FillValue", dataset, file)
    if fills.isEmpty, let usual = Self.usualFill(numbers.storage) {
      // Only files of NetCDF's library store it. In others an integer is as valid as its neighbours.
      if case .float = numbers.storage { fills = [usual] } else if try numbers.chosenFill() == usual { fills = [usual] }
    }
    fills += try Self.numbers("missing_value", dataset, file)
    switch numbers.storage {
    case .float(byteCount: 4):
      // The attribute may be in double precision, the numbers in single.
      fills = fills.map { Double(Float($0)) }
    case .signed(let byteCount):
      guard try file.text("_Unsigned", of: dataset).lowercased() == "true" else { break }
      let count = Double(sign: .plus, exponent: 8 * byteCount, significand: 1)
      wrap = count
      // The attribute may be unsigned, the numbers are not.
      fills = fills.map { $0 < count / 2 ? $0 : $0 - count }
    case .float, .unsigned, .boolean: break
    }
  }

  /// The values of an attribute; none if there is no such attribute.
  private static func numbers(
    _ name: String, _ dataset: String, _ file: borrowing HDF5File
  ) throws(HDF5Error) -> [Double] {
    guard try file.attributeExists(name, of: dataset) else { return [] }
    return try file.readAttribute(name, of: dataset, as: [Double].self)
  }

  private static func number(
    _ name: String, _ dataset: String, _ file: borrowing HDF5File
  ) throws(HDF5Error) -> Double? {
    guard try file.attributeExists(name, of: dataset) else { return nil }
    return try file.readAttribute(name, of: dataset, as: Double.self)
  }
}

extension HDF5File {
  /// The text of an attribute, in UTF-8 or Latin-1, or the number that stands in its place, as in the units 1; empty if
  /// there is none, or it is not a single value.
  borrowing func text(_ name: String, of dataset: String) throws(HDF5Error) -> String {
    guard try attributeExists(name, of: dataset) else { return "" }
    do { return try readForeignText(name, of: dataset) } catch {
      guard error.reason == .wrongType else { throw error }
    }
    do throws(HDF5Error) {
      let numbers = try readAttribute(name, of: dataset, as: [Double].self)
      guard numbers.count == 1 else { return "" }
      return Int(exactly: numbers[0]).map(String.init) ?? "\(numbers[0])"
    } catch {
      guard error.reason == .wrongType else { throw error }
      return ""
    }
  }
}
