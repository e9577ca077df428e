/// The cyclic redundancy check CRC-32C: Castagnoli's polynomial 0x1EDC6F41, bits reflected, as in iSCSI (RFC 3720,
/// section 12.1).
package enum CRC32C {
  /// For each byte, the remainder after eight steps of division.
  private static let remainders: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { remainder, _ in
      remainder & 1 == 1 ? remainder >> 1 ^ 0x82F6_3B78 : remainder >> 1
    }
  }

  package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let remainders = remainders
    var remainder: UInt32 = ~0
    for byte in bytes { remainder = remainders[Int((remainder ^ UInt32(byte)) & 0xFF)] ^ remainder >> 8 }
    return ~remainder
  }
}
