import Tensors
import Testing

@Suite struct PhiloxTests {
  /// The known answers published with Random123 (kat_vectors, philox4x32, 10 rounds).
  @Test func matchesPublishedKnownAnswers() {
    #expect(
      Philox.block(counter: SIMD4(repeating: 0), key: SIMD2(repeating: 0))
        == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      Philox.block(counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max))
        == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      Philox.block(
        counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: SIMD2(0xa409_3822, 0x299f_31d0))
        == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test func normalNumbersHaveTheMomentsOfTheNormalDistribution() {
    let count = 400_000
    let sample = Tensor(uninitialised: [count])
    RandomStream(seed: 5, purpose: .noise).fillNormal(sample)
    var moments = [Double](repeating: 0, count: 5)
    for value in sample.elements { for k in 1...4 { moments[k] += power(Double(value), k) / Double(count) } }
    // Five standard errors of each sample moment: the k-th has variance (E x²ᵏ − (E xᵏ)²) / count.
    let expected: [Double] = [0, 0, 1, 0, 3]
    let variances: [Double] = [0, 1, 2, 15, 96]
    for k in 1...4 {
      #expect(abs(moments[k] - expected[k]) < 5 * (variances[k] / Double(count)).squareRoot())
    }
  }

  @Test func streamsDifferInEveryPartOfTheirKey() {
    let names = [
      RandomStream(seed: 1, purpose: .noise), RandomStream(seed: 2, purpose: .noise),
      RandomStream(seed: 1 << 32, purpose: .noise), RandomStream(seed: 1, purpose: .dropout),
      RandomStream(seed: 1, purpose: .noise, step: 1), RandomStream(seed: 1, purpose: .noise, sample: 1),
      RandomStream(seed: 1, purpose: .noise, detail: 1),
    ]
    #expect(Set(names.map { $0.block(0) }).count == names.count)
  }

  @Test func theOrderOfAnEpochVisitsEverySampleOnce() {
    for count in [1, 2, 3, 17, 1000, 4096] {
      let order = KeyedPermutation(count: count, seed: 3, epoch: 2)
      #expect(Set((0..<count).map { order[$0] }) == Set(0..<count))
    }
    let first = KeyedPermutation(count: 1000, seed: 3, epoch: 0)
    let second = KeyedPermutation(count: 1000, seed: 3, epoch: 1)
    #expect((0..<1000).filter { first[$0] == second[$0] }.count < 10)
  }

  private func power(_ x: Double, _ k: Int) -> Double { (0..<k).reduce(1) { result, _ in result * x } }
}
