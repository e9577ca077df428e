import Compression
import FoundationEssentials
import TextFormatting

/// A CRC-32 in eight hexadecimal digits, which distinguishes the weights of different trainings.
struct WeightsHash {
  private var value: UInt32 = 0

  mutating func add(_ name: String, shape: [Int], _ values: [Float]) {
    Data("\(name) \(shape)\n".utf8).withUnsafeBytes { value = crc32($0, seed: value) }
    #if _endian(big)
      let values = values.map(\.bitPattern.littleEndian)
    #endif
    values.withUnsafeBytes { value = crc32($0, seed: value) }
  }

  var text: String { String(printf: "%08x", value) }

  /// The hash of a whole file.
  static func text(of contents: Data) -> String { WeightsHash(value: contents.withUnsafeBytes { crc32($0) }).text }
}
