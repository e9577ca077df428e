import RealModule
import Spectra
import Tensors

/// Periodic, isotropic Gaussian random fields, drawn on demand: for tests, since everything about their distribution is
/// known exactly, and for machines without data.
///
/// Each channel has mean 0 and variance 1 at every point, and the power spectrum S(k) ∝ (1 + (k/k₀)²)^(−p), where k is
/// the length of the wavenumber in cycles per domain: Matérn's, with p = 2 that of Whittle ("On stationary processes in
/// the plane", Biometrika 41, 1954). Channels i and j have the correlation ρ^|i − j| at every wavenumber. A field
/// depends only on its index.
package struct GaussianField: Sendable {
  package let name = "gaussian-field"
  /// The number of fields.
  package let count: Int
  /// [H, W, C], with H = W.
  package let shape: [Int]
  package let fingerprint: UInt64

  /// k₀, in cycles per domain: the spectrum is flat below it.
  package static let cutoff = 3.0
  /// p: far above k₀ the spectrum falls as k^(−2p).
  package static let exponent = 2.0
  /// ρ, the correlation of neighbouring channels.
  package static let correlation = 0.5

  /// S of each mode, [H, W]: the variance of its orthonormal coefficient. Its mean is 1.
  package let spectrum: TypedTensor<Double>
  package let transform: HartleyTransform
  /// The index of the first field in the sequence of all fields.
  private let offset: Int

  private static let seed: UInt64 = 0x4741_5553_5349_414E
  /// Test fields are the second half of the sequence, so no split can reach into the other.
  private static let firstTestField = 1 << 31

  /// - Parameters:
  ///   - count: at most 2³¹.
  ///   - size: height and width in points; at least 2.
  ///   - channels: at least 1.
  package init(count: Int = 10_000, size: Int = 64, channels: Int = 1, split: DatasetSplit = .training) {
    precondition((1...Self.firstTestField).contains(count) && size >= 2 && channels >= 1)
    self.count = count
    shape = [size, size, channels]
    offset = split == .training ? 0 : Self.firstTestField
    fingerprint = Fingerprint([count, size, channels] + (offset > 0 ? [offset] : [])).value
    transform = HartleyTransform(height: size, width: size)
    spectrum = TypedTensor(uninitialised: [size, size])
    var sum = 0.0
    for mode in 0..<size * size {
      let k = Shells.wavenumber(row: mode / size, column: mode % size, height: size, width: size)
      spectrum[mode] = Double.pow(1 + (k / Self.cutoff) * (k / Self.cutoff), -Self.exponent)
      sum += spectrum[mode]
    }
    // The variance of a point is the mean of the spectrum.
    let scale = Double(size * size) / sum
    for mode in 0..<size * size { spectrum[mode] *= scale }
  }

  /// Overwrites `target`, [H, W, C], with the values of a field. Several threads may call it at once.
  package func copyValues(of index: Int, into target: Tensor) {
    precondition((0..<count).contains(index), "there is no field \(index) among \(count)")
    precondition(target.shape == shape, "a field has the shape \(shape), not \(target.shape)")
    let (points, channels) = (spectrum.count, shape[2])
    let noise = Tensor(uninitialised: [channels, points])
    RandomStream(seed: Self.seed, purpose: .proceduralImage, sample: offset + index).fillNormal(noise)
    let planes = TypedTensor<Double>(uninitialised: [channels, shape[0], shape[1]])
    // The Cholesky factor of ρ^|i − j| adds to ρ times the channel before what is new.
    let innovation = (1 - Self.correlation * Self.correlation).squareRoot()
    for mode in 0..<points {
      let standardDeviation = spectrum[mode].squareRoot()
      var previous = 0.0
      for channel in 0..<channels {
        let new = standardDeviation * Double(noise[channel * points + mode])
        previous = channel == 0 ? new : Self.correlation * previous + innovation * new
        planes[channel * points + mode] = previous
      }
    }
    transform.transform(planes)
    for point in 0..<points {
      for channel in 0..<channels { target[point * channels + channel] = Float(planes[channel * points + point]) }
    }
  }
}
