/// The floating-point types in files of tensors, by their names in the safetensors format.
enum FloatType: String {
  case float64 = "F64"
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"

  var byteCount: Int {
    switch self {
    case .float64: 8
    case .float32: 4
    case .float16, .bfloat16: 2
    }
  }

  /// Converts little-endian numbers to single precision.
  func floats(_ bytes: UnsafeRawBufferPointer) -> [Float] {
    let indices = 0..<bytes.count / byteCount
    return switch self {
    case .float32: indices.map { Float(bitPattern: Self.word(bytes, $0)) }
    case .float64: indices.map { Float(Double(bitPattern: Self.word(bytes, $0))) }
    case .bfloat16: indices.map { Float(bitPattern: UInt32(Self.word(bytes, $0) as UInt16) << 16) }
    case .float16: indices.map { Self.single(half: Self.word(bytes, $0)) }
    }
  }

  private static func word<Word: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Word {
    Word(littleEndian: bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Word>.size, as: Word.self))
  }

  /// IEEE 754's binary16. (Swift's Float16 does not exist on every platform.)
  static func single(half: UInt16) -> Float {
    let exponent = Int(half >> 10 & 0x1f)
    let fraction = UInt32(half & 0x3ff)
    let sign = UInt32(half >> 15) << 31
    switch exponent {
    case 0:
      let magnitude = Float(fraction) * 0x1p-24
      return sign == 0 ? magnitude : -magnitude
    case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | UInt32(exponent + 112) << 23 | fraction << 13)
    }
  }
}
