import CZlib

/// The CRC-32 checksum of gzip and PNG (RFC 1952, section 8) of some bytes.
///
/// - Parameter seed: the checksum of the preceding bytes of the same sequence.
package func crc32(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
  guard let start = bytes.baseAddress else { return seed }
  return UInt32(crc32_z(UInt(seed), start.assumingMemoryBound(to: UInt8.self), bytes.count))
}

/// The checksum of the concatenation of two sequences of bytes, from the checksum of each.
///
/// It allows ranks to compute the checksums of their parts of a tensor and combine them.
package func crc32Combine(_ first: UInt32, _ second: UInt32, lengthOfSecond: Int) -> UInt32 {
  precondition(lengthOfSecond >= 0, "a length must not be negative")
  return UInt32(crc32_combine(UInt(first), UInt(second), lengthOfSecond))
}
