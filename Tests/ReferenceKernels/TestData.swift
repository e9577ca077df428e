import Tensors

/// Numbers for tests and ways to compare them.
package enum TestData {
  /// Independent standard normal numbers, the same on every run.
  package static func normals(_ count: Int, seed: UInt64 = 1) -> [Float] {
    RandomStream(seed: seed, purpose: .noise).normalNumbers(count)
  }

  package static func normalDoubles(_ count: Int, seed: UInt64 = 1) -> [Double] {
    normals(count, seed: seed).map { Double($0) }
  }

  /// The largest |a − b|; infinite when a number is not finite or the counts differ.
  package static func largestDifference<Scalar: BinaryFloatingPoint>(_ a: [Scalar], _ b: [Scalar]) -> Double {
    guard a.count == b.count else { return .infinity }
    var largest = 0.0
    for (left, right) in zip(a, b) {
      let difference = abs(Double(left) - Double(right))
      if !difference.isFinite { return .infinity }
      largest = max(largest, difference)
    }
    return largest
  }

  /// Whether two arrays contain the same bits.
  package static func sameBits(_ a: [Float], _ b: [Float]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern }
  }

  package static let channelCounts = [1, 3, 12, 20, 32, 100, 128]

  /// Pools of one, two and three threads.
  package static let pools = [1, 2, 3].map { WorkerPool(threadCount: $0) }
}

extension RandomStream {
  /// The first numbers that `fillNormal` writes.
  package func normalNumbers(_ count: Int) -> [Float] {
    let tensor = Tensor(uninitialised: [count])
    fillNormal(tensor)
    return tensor.elements
  }
}

/// ‖a − b‖ / ‖b‖; infinite when the counts differ.
package func relativeError(_ a: [Float], _ b: [Float]) -> Double {
  guard a.count == b.count else { return .infinity }
  var difference = 0.0
  var norm = 0.0
  for (x, y) in zip(a, b) {
    difference += (Double(x) - Double(y)) * (Double(x) - Double(y))
    norm += Double(y) * Double(y)
  }
  return difference == 0 ? 0 : (difference / norm).squareRoot()
}
