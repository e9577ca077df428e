import Tensors

/// Numbers for tests and ways to compare them.
enum TestData {
  /// Independent standard normal numbers, the same on every run.
  static func normals(_ count: Int, seed: UInt64 = 1) -> [Float] {
    var values = [Float](repeating: 0, count: count)
    values.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      RandomStream(seed: seed, purpose: .noise).fillNormal(base, count: count)
    }
    return values
  }

  static func normalDoubles(_ count: Int, seed: UInt64 = 1) -> [Double] {
    normals(count, seed: seed).map { Double($0) }
  }

  /// The largest |a − b|; infinite when a number is not finite or the counts differ.
  static func largestDifference<Scalar: BinaryFloatingPoint>(_ a: [Scalar], _ b: [Scalar]) -> Double {
    guard a.count == b.count else { return .infinity }
    var largest = 0.0
    for (left, right) in zip(a, b) {
      let difference = abs(Double(left) - Double(right))
      if !difference.isFinite { return .infinity }
      largest = max(largest, difference)
    }
    return largest
  }

  /// What `body` writes into an array of `count` elements that first hold NaN, to catch elements left unwritten.
  static func written(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
    filled([Float](repeating: .nan, count: count), body)
  }

  /// `values` after `body` has worked on them.
  static func filled(_ values: [Float], _ body: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
    var values = values
    values.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
    return values
  }

  /// Whether two arrays hold the same bits.
  static func sameBits(_ a: [Float], _ b: [Float]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern }
  }

  /// ∂(Σ weights·f(x))/∂x by central differences in double precision.
  ///
  /// With a step of 1e-5 the truncation error (step²) and the rounding error (2⁻⁵³/step) are both about 1e-10.
  static func finiteDifferences(of f: ([Double]) -> [Double], at x: [Double], weights: [Double]) -> [Double] {
    let step = 1e-5
    func loss(_ x: [Double]) -> Double { zip(f(x), weights).reduce(0) { $0 + $1.0 * $1.1 } }
    return x.indices.map { index in
      var (above, below) = (x, x)
      above[index] += step
      below[index] -= step
      return (loss(above) - loss(below)) / (2 * step)
    }
  }

  static let channelCounts = [1, 3, 12, 20, 32, 100, 128]

  /// Pools of one, two and three threads.
  static let pools = [1, 2, 3].map { WorkerPool(threadCount: $0) }

  /// What finite differences of functions of order one may be off by: see `finiteDifferences`, with room for curvature.
  static let finiteDifferenceTolerance = 1e-7
}
