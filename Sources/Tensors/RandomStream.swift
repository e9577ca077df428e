import RealModule

/// The purpose of random numbers. The raw values must never change: a resumed run draws what the interrupted one would
/// have drawn.
@usableFromInline package enum RandomPurpose: UInt32, Sendable {
  case initialisation = 1
  case timestep = 2
  case noise = 3
  case dropout = 4
  case flip = 5
  case shuffle = 6
  case samplerNoise = 7
  case latents = 8
  case proceduralImage = 9
  /// For the trace estimator.
  case traceProbe = 10
  case labelDropout = 11
  /// For adding uniform noise to 8-bit values.
  case dequantisation = 12
  /// For measuring the terms of the variational bound.
  case boundNoise = 13
  /// For choosing the images of an evaluation.
  case evaluationSubset = 14
  /// For the ranks of truths that equal a member of their ensemble.
  case rankTies = 15
  /// For measurements that are simulated.
  case measurementNoise = 16
}

/// The random numbers for a given seed, purpose, step, sample and detail: a function without state.
///
/// Philox counter words: 0 the block within the stream, 1 the sample, 2 the step, 3 purpose (8 bits) and detail
/// (24 bits, such as a layer's number). The key is the seed.
@usableFromInline package struct RandomStream: Sendable {
  @usableFromInline package let key: SIMD2<UInt32>
  /// The counter of the stream's first block.
  @usableFromInline package let counter: SIMD4<UInt32>

  /// - Parameters:
  ///   - step: optimiser step, or sampler time step; below 2³².
  ///   - sample: the sample's index in the global batch or among all images drawn; below 2³².
  ///   - detail: distinguishes several streams of one purpose; below 2²⁴.
  @usableFromInline package init(seed: UInt64, purpose: RandomPurpose, step: Int = 0, sample: Int = 0, detail: Int = 0)
  {
    precondition((0..<1 << 32).contains(step) && (0..<1 << 32).contains(sample) && (0..<1 << 24).contains(detail))
    key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    counter = SIMD4(0, UInt32(sample), UInt32(step), purpose.rawValue << 24 | UInt32(detail))
  }

  /// Words 4·index … 4·index + 3 of the stream.
  @inlinable
  package func block(_ index: Int) -> SIMD4<UInt32> {
    var counter = counter
    counter[0] = UInt32(truncatingIfNeeded: index)
    return Philox.block(counter: counter, key: key)
  }

  /// Word `index` as a number in [0, 1) with 24 random bits.
  package func uniform(_ index: Int) -> Float {
    Float(block(index / 4)[index % 4] >> 8) * 0x1p-24
  }

  /// Word `index` as an integer in 0..<bound, with negligible bias (bound is far below 2³²).
  package func integer(_ index: Int, below bound: Int) -> Int {
    precondition((1...1 << 32).contains(bound))
    return Int((UInt64(block(index / 4)[index % 4]) &* UInt64(bound)) >> 32)
  }

  /// Overwrites a tensor with numbers uniform in [0, 1): element i is `uniform(i)`.
  package func fillUniform(_ tensor: Tensor) {
    let numbers = tensor.pointer
    for start in stride(from: 0, to: tensor.count, by: 4) {
      let words = block(start / 4)
      for lane in 0..<min(4, tensor.count - start) { numbers[start + lane] = Float(words[lane] >> 8) * 0x1p-24 }
    }
  }

  /// Overwrites a tensor, or a range of its elements, with independent standard normal numbers (Box–Muller in double
  /// precision, two words a pair).
  package func fillNormal(_ tensor: Tensor, in range: Range<Int>? = nil) {
    let range = range ?? 0..<tensor.count
    verify(range.lowerBound >= 0 && range.upperBound <= tensor.count, "\(range) is not within \(tensor.count) elements")
    let (numbers, count) = (tensor.pointer + range.lowerBound, range.count)
    for start in stride(from: 0, to: count, by: 4) {
      let words = block(start / 4)
      for pair in stride(from: 0, to: 4, by: 2) where start + pair < count {
        let (radius, angle) = Self.polar(words[pair], words[pair + 1])
        numbers[start + pair] = Float(radius * Double.cos(angle))
        if start + pair + 1 < count { numbers[start + pair + 1] = Float(radius * Double.sin(angle)) }
      }
    }
  }

  /// The first number that `fillNormal` writes.
  package var normal: Float {
    let words = block(0)
    let (radius, angle) = Self.polar(words[0], words[1])
    return Float(radius * Double.cos(angle))
  }

  /// Two normal numbers in polar coordinates.
  private static func polar(_ first: UInt32, _ second: UInt32) -> (radius: Double, angle: Double) {
    let radius = (-2 * Double.log((Double(first) + 0.5) * 0x1p-32)).squareRoot()
    return (radius, 2 * Double.pi * (Double(second) + 0.5) * 0x1p-32)
  }
}

/// A keyed permutation of 0..<count: the order of one epoch, whose elements are computed directly, without a table.
///
/// A six-round Feistel network over the next even power of two, iterated until the result lies inside the range (cycle
/// walking; Black and Rogaway: "Ciphers with arbitrary finite domains", CT-RSA 2002).
@usableFromInline package struct KeyedPermutation: Sendable {
  @usableFromInline package let count: Int
  private let halfBits: Int
  private let stream: RandomStream

  @usableFromInline package init(count: Int, seed: UInt64, epoch: Int) {
    precondition(count > 0 && count <= 1 << 32)
    self.count = count
    var bits = 1
    while 1 << (2 * bits) < count { bits += 1 }
    halfBits = bits
    stream = RandomStream(seed: seed, purpose: .shuffle, step: epoch)
  }

  package subscript(index: Int) -> Int {
    precondition((0..<count).contains(index))
    var value = index
    repeat { value = encrypt(value) } while value >= count
    return value
  }

  private func encrypt(_ value: Int) -> Int {
    let mask = (1 << halfBits) - 1
    var left = value >> halfBits
    var right = value & mask
    for round in 0..<6 {
      var counter = stream.counter
      counter[0] = UInt32(right)
      counter[1] = UInt32(round)
      let mixed = Int(Philox.block(counter: counter, key: stream.key)[0]) & mask
      (left, right) = (right, left ^ mixed)
    }
    return left << halfBits | right
  }
}
