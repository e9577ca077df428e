import Tensors

/// Calls `body` with room for `count` floats, whose contents are undefined, and takes it back afterwards.
///
/// - Parameter minimum: floats to take in any case. Scratch that is needed again and again in different sizes is then the
///   same memory every time, which is still in a cache.
@inlinable @inline(__always)
public func withScratch<Result>(
  _ count: Int, atLeast minimum: Int = 0, _ body: (UnsafeMutablePointer<Float>) -> Result
) -> Result {
  let buffer = FloatBuffer(count: max(count, minimum))
  return withExtendedLifetime(buffer) { body(buffer.pointer) }
}

extension FloatBuffer {
  /// Room for `count` numbers in double precision.
  @inlinable public static func doubles(count: Int) -> FloatBuffer { FloatBuffer(count: 2 * count) }

  @inlinable public var doublePointer: UnsafeMutablePointer<Double> {
    UnsafeMutableRawPointer(pointer).bindMemory(to: Double.self, capacity: count / 2)
  }
}
