/// Whether ensembles vary as much as they err. If the truth cannot be told from a member, the mean squared error of the
/// mean of M members is (M + 1)/M times their mean variance (Fortin et al., J. Hydrometeorol. 15, 2014).
package struct SpreadSkill: Codable, Sendable, Equatable {
  /// The root of the members' variance, with divisor M − 1, averaged over cases and points; in the channel's unit.
  package let spread: Double
  /// The root mean squared error of the ensembles' means, over cases and points; in the channel's unit.
  package let error: Double
  /// √((M + 1)/M)·spread / error: 1 for reliable ensembles, less for those that are too sure; nil without any error.
  package let ratio: Double?

  /// - Throws: `FieldMeasureError` if there are fewer than two members or no cases, or no such channel.
  package init(_ sums: EnsembleSums, channel: Int) throws(FieldMeasureError) {
    let means = try sums.means(channel, minimumMembers: 2, measure: "a spread")
    let members = Double(sums.memberCount)
    spread = means.variance.squareRoot()
    error = means.squaredError.squareRoot()
    ratio = error > 0 ? ((members + 1) / members).squareRoot() * spread / error : nil
  }
}
