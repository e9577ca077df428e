extension Reference {
  /// Every pixel of x [images, height, width, channels] four times: y[n, i, j, c] = x[n, i / 2, j / 2, c].
  public static func upsampleNearest<Scalar: BinaryFloatingPoint>(
    x: [Scalar], images: Int, height: Int, width: Int, channels: Int
  ) -> [Scalar] {
    var y = [Scalar](repeating: 0, count: 4 * x.count)
    forEachUpsampled(images, height, width, channels) { fine, coarse in y[fine] = x[coarse] }
    return y
  }

  /// dx [images, height, width, channels]: the sum of the four pixels of dy that came from each pixel of x.
  public static func upsampleNearestBackward<Scalar: BinaryFloatingPoint>(
    dy: [Scalar], images: Int, height: Int, width: Int, channels: Int
  ) -> [Scalar] {
    var dx = [Double](repeating: 0, count: dy.count / 4)
    forEachUpsampled(images, height, width, channels) { fine, coarse in dx[coarse] += Double(dy[fine]) }
    return rounded(dx)
  }

  private static func forEachUpsampled(
    _ images: Int, _ height: Int, _ width: Int, _ channels: Int, _ body: (_ fine: Int, _ coarse: Int) -> Void
  ) {
    for image in 0..<images {
      for i in 0..<2 * height {
        for j in 0..<2 * width {
          for c in 0..<channels {
            let fine = ((image * 2 * height + i) * 2 * width + j) * channels + c
            let coarse = ((image * height + i / 2) * width + j / 2) * channels + c
            body(fine, coarse)
          }
        }
      }
    }
  }
}
