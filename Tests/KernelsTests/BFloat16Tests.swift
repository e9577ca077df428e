import Kernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct BFloat16Tests {
  private func rounded(_ values: [Float]) -> [UInt16] {
    let halves = TypedTensor<UInt16>(uninitialised: [values.count])
    BFloat16.round(Tensor(values, shape: halves.shape), into: halves)
    return halves.elements
  }

  private func widened(_ halves: [UInt16]) -> [Float] {
    let values = Tensor(uninitialised: [halves.count])
    BFloat16.widen(TypedTensor(halves, shape: values.shape), into: values)
    return values.elements
  }

  @Test func bfloat16NumbersAreUnchanged() {
    let halves = (0...UInt16.max).filter { !widened([$0])[0].isNaN }
    #expect(rounded(widened(halves)) == halves)
    #expect(halves.allSatisfy { BFloat16.round(widened([$0])[0]) == $0 })
  }

  @Test func othersRoundToNearestAndTiesToEven() {
    let cases: [(Float, UInt16)] = [
      (1 + 0x1p-8, 0x3F80), (1 + 3 * 0x1p-8, 0x3F82), ((1 + 0x1p-8).nextUp, 0x3F81), ((1 + 0x1p-8).nextDown, 0x3F80),
      (-1 - 3 * 0x1p-8, 0xBF82), (.greatestFiniteMagnitude, 0x7F80), (.infinity, 0x7F80), (-.infinity, 0xFF80),
      (.leastNonzeroMagnitude, 0), (-0.0, 0x8000), (0x1p-133, 1),
    ]
    for (value, expected) in cases {
      // Through vectors and through the scalar remainder.
      #expect(rounded([Float](repeating: value, count: 19)) == [UInt16](repeating: expected, count: 19))
      #expect(BFloat16.round(value) == expected)
    }
  }

  @Test func nanStaysNaN() {
    for bits: UInt32 in [0x7FC0_0000, 0x7F80_0001, 0xFF80_0001, 0x7FFF_FFFF, 0xFFFF_FFFF] {
      let halves = rounded([Float](repeating: Float(bitPattern: bits), count: 19))
      #expect(widened(halves).allSatisfy { $0.isNaN })
      #expect(halves.allSatisfy { $0 >> 15 == UInt16(bits >> 31) })
    }
  }

  /// Several items of work, and a remainder.
  @Test(arguments: [1, 16, 31, 70_001], TestData.pools.indices)
  func valuesAreRoundedInPlaceAndCopied(_ count: Int, _ pool: Int) {
    let workers = TestData.pools[pool]
    var values = TestData.normals(count)
    for (index, special) in ([.nan, -.infinity, 0x1p-140] as [Float]).enumerated() where count > 1 {
      values[index * 10 % count] = special
    }
    let halves = TypedTensor<UInt16>(uninitialised: [count])
    let bits = TestData.filled(values, [count]) {
      BFloat16.roundInPlace($0, copyingTo: halves, workers: workers)
    }.map(\.bitPattern)
    #expect(halves.elements == rounded(values))
    #expect(bits == widened(halves.elements).map(\.bitPattern))
    let alone = TestData.filled(values, [count]) { BFloat16.roundInPlace($0, workers: workers) }
    #expect(alone.map(\.bitPattern) == bits)
    let back = TestData.written([count]) { BFloat16.widen(halves, into: $0, workers: workers) }
    #expect(back.map(\.bitPattern) == bits)
  }

  @Test func errorIsAtMostHalfAUnitOfEightBits() {
    let values = TestData.normals(1003)
    for (value, back) in zip(values, widened(rounded(values))) { #expect(abs(back - value) <= abs(value) * 0x1p-8) }
  }
}
