import Tensors

/// Calls `body` with scratch memory for `count` floats, whose contents are undefined, and releases it afterwards.
///
/// - Parameter minimum: the minimum number of floats to allocate. Scratch memory that is requested repeatedly in
///   different sizes is then the same memory every time, which is still in a cache.
@inlinable @inline(__always)
package func withScratch<Result>(
  _ count: Int, atLeast minimum: Int = 0, _ body: (UnsafeMutablePointer<Float>) -> Result
) -> Result {
  let buffer = FloatBuffer(count: max(count, minimum))
  return withExtendedLifetime(buffer) { body(buffer.pointer) }
}
