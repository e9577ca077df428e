import Tensors

/// Calls `body` with room for `count` floats, whose contents are undefined, and takes it back afterwards.
@inline(__always)
func withScratch<Result>(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Result) -> Result {
  let buffer = FloatBuffer(count: count)
  return withExtendedLifetime(buffer) { body(buffer.pointer) }
}

extension FloatBuffer {
  /// Room for `count` numbers in double precision.
  static func doubles(count: Int) -> FloatBuffer { FloatBuffer(count: 2 * count) }

  var doublePointer: UnsafeMutablePointer<Double> {
    UnsafeMutableRawPointer(pointer).bindMemory(to: Double.self, capacity: count / 2)
  }
}
