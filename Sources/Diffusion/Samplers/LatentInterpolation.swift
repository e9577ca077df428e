import RealModule

/// Spherical interpolation between two latents, since normal vectors lie near a sphere: sin((1 − u)θ)/sin θ·a +
/// sin(uθ)/sin θ·b with θ the angle between them (Shoemake: "Animating rotation with quaternion curves", SIGGRAPH 1985;
/// for implicit models Song, Meng, Ermon, arXiv:2010.02502, appendix D.5).
/// - Parameters:
///   - a: latents, [N, …].
///   - b: latents of the same shape.
///   - share: u, from 0 at a to 1 at b.
package func sphericalInterpolation(_ a: DoubleTensor, _ b: DoubleTensor, share: Double) -> DoubleTensor {
  let (lengths, others, products) = (a.imageNorms, b.imageNorms, a.imageProducts(b))
  let factors = (0..<a.imageCount).map { image -> (Double, Double) in
    let angle = Double.acos(max(-1, min(1, products[image] / (lengths[image] * others[image]))))
    let sine = Double.sin(angle)
    // Parallel: the limit is the straight line.
    guard sine > 1e-6 else { return (1 - share, share) }
    return (.sin((1 - share) * angle) / sine, .sin(share * angle) / sine)
  }
  return DoubleTensor(factors.map(\.0) * a + factors.map(\.1) * b)
}
