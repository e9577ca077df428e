import Spectra

/// The power of a channel at each wavenumber, averaged over samples and over the modes of a shell.
///
/// The transform is orthonormal: white noise has the same power in every shell, its variance, and Σ power·modes over
/// all shells is the mean of Σ x² over a field's points.
package struct PowerSpectrum: Codable, Sendable, Equatable {
  /// The mean square of the coefficients of each shell |k| = 0, 1, … in the square of the channel's unit.
  package let power: [Double]
  /// The number of modes of each shell.
  package let modeCounts: [Int]
  package let sampleCount: Int

  /// - Throws: `FieldMeasureError` if there are no samples, or no such channel.
  package init(_ sums: SpectrumSums, channel: Int) throws(FieldMeasureError) {
    guard (0..<sums.shape[2]).contains(channel) else {
      throw .noSuchChannel(channel, channels: sums.shape[2])
    }
    power = try sums.means(channel, measure: "a power spectrum")
    modeCounts = sums.shells.modeCounts
    sampleCount = sums.count
  }

  /// power / reference − 1 for each shell; nil where the reference has no power.
  ///
  /// - Throws: `FieldMeasureError` if the spectra have different shells.
  package func relativeErrors(to reference: PowerSpectrum) throws(FieldMeasureError) -> [Double?] {
    guard modeCounts == reference.modeCounts else {
      throw .wrongShape(name: "the shells", found: modeCounts, expected: reference.modeCounts)
    }
    return zip(power, reference.power).map { $1 > 0 ? $0 / $1 - 1 : nil }
  }
}
