/// Philox4x32-10: a counter-based generator (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3",
/// SC 2011). A block of four random words is a function of a 128-bit counter and a 64-bit key, so there is no state to
/// save, and any part of any stream can be computed directly.
public enum Philox {
  @inlinable
  public static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for round in 0..<10 {
      if round > 0 { k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85) }
      let p0 = UInt64(c[0]) &* 0xD251_1F53
      let p1 = UInt64(c[2]) &* 0xCD9E_8D57
      c = SIMD4(
        UInt32(truncatingIfNeeded: p1 >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: p1),
        UInt32(truncatingIfNeeded: p0 >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: p0))
    }
    return c
  }

  /// Eight blocks whose counters differ only in word 0: `first`, `first + 1` … `first + 7`.
  /// Word w of block i is lane i of element w. For masks, where throughput matters.
  @inlinable
  public static func blocks8(first: UInt32, counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> (
    SIMD8<UInt32>, SIMD8<UInt32>, SIMD8<UInt32>, SIMD8<UInt32>
  ) {
    var c0 = SIMD8<UInt32>(repeating: first) &+ SIMD8(0, 1, 2, 3, 4, 5, 6, 7)
    var c1 = SIMD8<UInt32>(repeating: counter[1])
    var c2 = SIMD8<UInt32>(repeating: counter[2])
    var c3 = SIMD8<UInt32>(repeating: counter[3])
    var k0 = key[0]
    var k1 = key[1]
    for round in 0..<10 {
      if round > 0 {
        k0 = k0 &+ 0x9E37_79B9
        k1 = k1 &+ 0xBB67_AE85
      }
      let p0 = SIMD8<UInt64>(truncatingIfNeeded: c0) &* SIMD8<UInt64>(repeating: 0xD251_1F53)
      let p1 = SIMD8<UInt64>(truncatingIfNeeded: c2) &* SIMD8<UInt64>(repeating: 0xCD9E_8D57)
      let high0 = SIMD8<UInt32>(truncatingIfNeeded: p0 &>> 32)
      let high1 = SIMD8<UInt32>(truncatingIfNeeded: p1 &>> 32)
      c0 = high1 ^ c1 ^ SIMD8(repeating: k0)
      c1 = SIMD8<UInt32>(truncatingIfNeeded: p1)
      c2 = high0 ^ c3 ^ SIMD8(repeating: k1)
      c3 = SIMD8<UInt32>(truncatingIfNeeded: p0)
    }
    return (c0, c1, c2, c3)
  }
}
