/// Random numbers that are the same in every run (SplitMix64).
package struct TestRandom: RandomNumberGenerator {
  private var state: UInt64

  package init(state: UInt64) { self.state = state }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  package mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
  }

  /// A range inside 0..<count, possibly empty.
  package mutating func range(in count: Int) -> Range<Int> {
    let ends = [Int.random(in: 0...count, using: &self), Int.random(in: 0...count, using: &self)].sorted()
    return ends[0]..<ends[1]
  }

  /// 0..<count divided into consecutive ranges at random positions.
  package mutating func cuts(of count: Int, pieces: Int) -> [Range<Int>] {
    let inner = (1..<pieces).map { _ in Int.random(in: 0...count, using: &self) }.sorted()
    return zip([0] + inner, inner + [count]).map { $0..<$1 }
  }
}
