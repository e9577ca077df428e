import Spectra

/// How two channels vary together at each wavenumber, averaged over samples and over the modes of a shell.
///
/// With the channels' orthonormal Fourier coefficients a and b, the co-spectrum is the mean of a·b* over a shell. It is
/// real: the quadrature spectrum, its imaginary part, has opposite signs at k and −k.
package struct CrossSpectrum: Codable, Sendable, Equatable {
  package let channels: ChannelPair
  /// The mean of a·b* in each shell |k| = 0, 1, …, in the product of the channels' units.
  package let coSpectrum: [Double]
  /// The co-spectrum divided by √(power of the first · power of the second), from −1 to 1; nil where a channel has no
  /// power.
  package let correlation: [Double?]
  /// The number of modes of each shell.
  package let modeCounts: [Int]
  package let sampleCount: Int

  /// - Parameter pair: the index of the pair among `sums.pairs`.
  /// - Throws: `FieldMeasureError` if there are no samples.
  package init(_ sums: SpectrumSums, pair: Int) throws(FieldMeasureError) {
    precondition(sums.pairs.indices.contains(pair), "there is no pair \(pair) among \(sums.pairs.count)")
    channels = sums.pairs[pair]
    let measure = "a cross-spectrum"
    let products = try sums.means(sums.shape[2] + pair, measure: measure)
    let first = try sums.means(channels.first, measure: measure)
    let second = try sums.means(channels.second, measure: measure)
    coSpectrum = products
    correlation = products.indices.map { shell in
      let scale = first[shell].squareRoot() * second[shell].squareRoot()
      return scale > 0 ? products[shell] / scale : nil
    }
    modeCounts = sums.shells.modeCounts
    sampleCount = sums.count
  }
}
