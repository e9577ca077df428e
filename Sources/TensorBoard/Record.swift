/// The framing of records in a file (TFRecord): the length of the data (8 bytes, little-endian), the length's checksum
/// (4 bytes), the data, the data's checksum (4 bytes).
package enum Record {
  /// `data` in a frame.
  package static func framed(_ data: [UInt8]) -> [UInt8] {
    let length = littleEndian(UInt64(data.count))
    return length + littleEndian(maskedChecksum(length)) + data + littleEndian(maskedChecksum(data))
  }

  /// The CRC-32C, rotated by 15 bits and offset by a constant, since checksums of data that contain checksums would be
  /// weak.
  static func maskedChecksum(_ bytes: [UInt8]) -> UInt32 {
    let checksum = CRC32C.checksum(bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }

  private static func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian, Array.init)
  }
}
