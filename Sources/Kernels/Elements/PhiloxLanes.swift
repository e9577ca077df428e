import Tensors

/// Computes many consecutive Philox4x32-10 blocks, as `Philox.block` does, in a loop that the compiler vectorises: one
/// block per lane. Words are kept in 64 bits, since vector processors multiply 32 by 32 bits in them; their high halves
/// are meaningless.
enum PhiloxLanes {
  /// words[w·blocks + i] = word w of block `first + i` of the stream, for i < blocks.
  @inline(never)
  static func fill(_ words: UnsafeMutablePointer<UInt32>, first: UInt32, blocks: Int, _ stream: RandomStream) {
    let (words1, words2, words3) = (words + blocks, words + 2 * blocks, words + 3 * blocks)
    let (key0, key1) = (stream.key[0], stream.key[1])
    let (start1, start2, start3) = (
      UInt64(stream.counter[1]), UInt64(stream.counter[2]), UInt64(stream.counter[3])
    )
    for index in 0..<blocks {
      var (c0, c1, c2, c3) = (UInt64(first) &+ UInt64(truncatingIfNeeded: index), start1, start2, start3)
      // Unrolled by hand, since an inner loop would prevent the outer one from being vectorised.
      round(0, &c0, &c1, &c2, &c3, key0, key1)
      round(1, &c0, &c1, &c2, &c3, key0, key1)
      round(2, &c0, &c1, &c2, &c3, key0, key1)
      round(3, &c0, &c1, &c2, &c3, key0, key1)
      round(4, &c0, &c1, &c2, &c3, key0, key1)
      round(5, &c0, &c1, &c2, &c3, key0, key1)
      round(6, &c0, &c1, &c2, &c3, key0, key1)
      round(7, &c0, &c1, &c2, &c3, key0, key1)
      round(8, &c0, &c1, &c2, &c3, key0, key1)
      round(9, &c0, &c1, &c2, &c3, key0, key1)
      words[index] = UInt32(truncatingIfNeeded: c0)
      words1[index] = UInt32(truncatingIfNeeded: c1)
      words2[index] = UInt32(truncatingIfNeeded: c2)
      words3[index] = UInt32(truncatingIfNeeded: c3)
    }
  }

  @inline(__always)
  private static func round(
    _ number: UInt32, _ c0: inout UInt64, _ c1: inout UInt64, _ c2: inout UInt64, _ c3: inout UInt64, _ key0: UInt32,
    _ key1: UInt32
  ) {
    let product0 = (c0 & 0xFFFF_FFFF) &* 0xD251_1F53
    let product1 = (c2 & 0xFFFF_FFFF) &* 0xCD9E_8D57
    c0 = (product1 >> 32) ^ c1 ^ UInt64(key0 &+ number &* 0x9E37_79B9)
    c2 = (product0 >> 32) ^ c3 ^ UInt64(key1 &+ number &* 0xBB67_AE85)
    c1 = product1
    c3 = product0
  }
}
