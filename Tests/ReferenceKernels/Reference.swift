/// Plain, slow reference implementations of the kernels: loops that follow the definition and accumulate in double
/// precision.
///
/// Arrays are row-major, images [N, H, W, C]. Results are rounded to the arguments' type only at the end, so with
/// `Double` arguments they can be used for finite differences.
package enum Reference {
  static func doubles<Scalar: BinaryFloatingPoint>(_ values: [Scalar]) -> [Double] { values.map { Double($0) } }

  static func rounded<Scalar: BinaryFloatingPoint>(_ values: [Double]) -> [Scalar] { values.map { Scalar($0) } }

  /// The pixel at a position on an axis of `count` pixels, which may be repeated endlessly; nil if zeros are there.
  static func pixel(at position: Int, of count: Int, isPeriodic: Bool) -> Int? {
    if (0..<count).contains(position) { return position }
    return isPeriodic ? (position % count + count) % count : nil
  }
}
