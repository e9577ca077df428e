/// Random numbers determined by a seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// Changes inputs as damage or malice might.
enum Mutator {
  /// Numbers that often break readers.
  static let numbers = [
    "0", "-1", "1", "2", "255", "256", "65535", "65536", "2147483647", "2147483648", "4294967296",
    "4611686018427387904",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551616", "1e30", "-1e300",
    "1e-300", "1e400", "0.5", "-0.0", "nan", "inf", "-inf", "NaN", "Infinity", "0x10", "1_000", "1.5", ".5",
  ]
  /// Texts that replace expected values.
  static let texts = [
    "", "null", "~", "true", "none", "[]", "[[]]", "{}", "[1]", "[0, -1]", "\"", "'", "\u{0}", "\u{1b}[2J", "ä",
    "é\u{301}",
    "/", "..", "/dev/zero", "%s%n", "*a", "&a", "!!python/object", "---", ": :", "\\", "a=b", "=", ",", "a,b",
  ]

  static func bytes(_ input: [UInt8], _ others: [[UInt8]], using generator: inout SeededGenerator) -> [UInt8] {
    var bytes = input
    for _ in 0..<[1, 1, 1, 2, 4, 16].randomElement(using: &generator)! {
      change(&bytes, others, using: &generator)
    }
    return bytes
  }

  private static func change(
    _ bytes: inout [UInt8], _ others: [[UInt8]], using generator: inout SeededGenerator
  ) {
    guard !bytes.isEmpty else {
      bytes = [UInt8.random(in: 0...255, using: &generator)]
      return
    }
    let position = Int.random(in: 0..<bytes.count, using: &generator)
    let length = min(Int.random(in: 1...64, using: &generator), bytes.count - position)
    switch Int.random(in: 0..<9, using: &generator) {
    case 0, 1: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    case 2: bytes[position] = [0, 1, 0x7f, 0x80, 0xff, 0x20].randomElement(using: &generator)!
    case 3, 4:
      let width = [1, 2, 4, 8].randomElement(using: &generator)!
      guard position + width <= bytes.count else { return }
      let all: [UInt64] = [
        0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 40, 1 << 62, UInt64(Int.max),
        .max,
        UInt64(bytes.count), UInt64(bytes.count) - 1,
      ]
      let number = all.randomElement(using: &generator)!
      let isBig = Bool.random(using: &generator)
      for index in 0..<width {
        bytes[position + (isBig ? width - 1 - index : index)] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index))
      }
    case 5: bytes.removeSubrange(position..<position + length)
    case 6: bytes.insert(contentsOf: bytes[position..<position + length], at: position)
    case 7: bytes.removeSubrange(position...)
    default:
      guard let other = others.randomElement(using: &generator), !other.isEmpty else { return }
      let start = Int.random(in: 0..<other.count, using: &generator)
      let end = min(start + length, other.count)
      bytes.replaceSubrange(position..<min(position + length, bytes.count), with: other[start..<end])
    }
  }

  /// Changes a text by its words and numbers, and sometimes by its bytes.
  static func text(_ input: [UInt8], _ others: [[UInt8]], using generator: inout SeededGenerator) -> [UInt8] {
    if Int.random(in: 0..<4, using: &generator) == 0 { return bytes(input, others, using: &generator) }
    var tokens = tokens(input)
    for _ in 0..<[1, 1, 2, 4].randomElement(using: &generator)! where !tokens.isEmpty {
      let position = Int.random(in: 0..<tokens.count, using: &generator)
      let isNumber = tokens[position].first.map { (0x30...0x39).contains($0) } ?? false
      let list = isNumber && Int.random(in: 0..<4, using: &generator) > 0 ? numbers : texts + numbers
      switch Int.random(in: 0..<8, using: &generator) {
      case 0: tokens.remove(at: position)
      case 1: tokens.insert(tokens.randomElement(using: &generator)!, at: position)
      case 2: tokens.swapAt(position, Int.random(in: 0..<tokens.count, using: &generator))
      default: tokens[position] = Array(list.randomElement(using: &generator)!.utf8)
      }
    }
    return Array(tokens.joined())
  }

  /// Sequences of letters and digits, and every other byte on its own.
  private static func tokens(_ bytes: [UInt8]) -> [[UInt8]] {
    var tokens: [[UInt8]] = []
    var word: [UInt8] = []
    for byte in bytes {
      let isWord =
        byte >= 0x80 || Character(Unicode.Scalar(byte)).isLetter || (0x30...0x39).contains(byte) || byte == 0x5f
      if isWord {
        word.append(byte)
      } else {
        if !word.isEmpty { tokens.append(word) }
        word = []
        tokens.append([byte])
      }
    }
    return word.isEmpty ? tokens : tokens + [word]
  }
}
