import CZlib

/// The CRC-32 checksum of gzip and PNG (RFC 1952, section 8) of some bytes.
///
/// - Parameter seed: the checksum of the bytes before these, if they are to be one sequence.
public func crc32(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
  guard let start = bytes.baseAddress else { return seed }
  return UInt32(crc32_z(UInt(seed), start.assumingMemoryBound(to: UInt8.self), bytes.count))
}

/// The checksum of two sequences of bytes one after the other, from the checksum of each.
///
/// It lets the parts of a tensor be checked where they are and the whole be named by one number.
public func crc32Combine(_ first: UInt32, _ second: UInt32, lengthOfSecond: Int) -> UInt32 {
  precondition(lengthOfSecond >= 0, "a length cannot be negative")
  return UInt32(crc32_combine(UInt(first), UInt(second), lengthOfSecond))
}
