/// The shape of a channel's distribution over all samples and points. Divisors are the number of values, as in
/// `scipy.stats` by default.
package struct Moments: Codable, Sendable, Equatable {
  package let mean: Double
  package let standardDeviation: Double
  /// The third central moment divided by the third power of the standard deviation; nil for a constant.
  package let skewness: Double?
  /// The fourth central moment divided by the fourth power of the standard deviation, less 3: 0 for a normal
  /// distribution; nil for a constant.
  package let excessKurtosis: Double?
  package let minimum: Double
  package let maximum: Double

  /// - Throws: `FieldMeasureError` if there are no samples, all values are missing, or there is no such channel.
  package init(_ sums: MomentSums, channel: Int) throws(FieldMeasureError) {
    guard (0..<sums.shape[2]).contains(channel) else {
      throw .noSuchChannel(channel, channels: sums.shape[2])
    }
    guard let total = sums.total(channel) else {
      throw .tooFew(things: "samples", found: 0, minimum: 1, measure: "a mean")
    }
    guard total.count > 0 else {
      throw .tooFew(things: "values that are not missing", found: 0, minimum: 1, measure: "a mean")
    }
    let variance = total.second / total.count
    mean = total.mean
    standardDeviation = variance.squareRoot()
    skewness = variance > 0 ? total.third / total.count / (variance * standardDeviation) : nil
    excessKurtosis = variance > 0 ? total.fourth / total.count / (variance * variance) - 3 : nil
    minimum = total.minimum
    maximum = total.maximum
  }
}
