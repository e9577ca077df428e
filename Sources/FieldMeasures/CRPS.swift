/// The continuous ranked probability score of ensembles, averaged over cases and points, in the channel's unit: the
/// integral over x of the squared difference between the ensemble's distribution function and the truth's step. Smaller
/// is better; for one member it is the mean absolute error.
package struct CRPS: Codable, Sendable, Equatable {
  /// E|X − y| − ½ E|X − X′| with both expectations over the M members: Σ_i |x_i − y| / M − Σ_{i,j} |x_i − x_j| / 2M²
  /// (Gneiting and Raftery, 2007, equation 21). It favours ensembles that are too narrow, the more the fewer members.
  package let standard: Double
  /// The same with M (M − 1) in place of M²: the expected score of an ensemble of infinitely many members (Ferro, 2014),
  /// for a comparison of ensembles of different sizes. nil for one member.
  package let fair: Double?
  package let memberCount: Int
  package let caseCount: Int

  /// - Throws: `FieldMeasureError` if there are no cases, or no such channel.
  package init(_ sums: EnsembleSums, channel: Int) throws(FieldMeasureError) {
    let means = try sums.means(channel, minimumMembers: 1, measure: "a CRPS")
    let members = Double(sums.memberCount)
    standard = means.absoluteError - means.pairDifferences / (members * members)
    fair = members > 1 ? means.absoluteError - means.pairDifferences / (members * (members - 1)) : nil
    memberCount = sums.memberCount
    caseCount = sums.count
  }
}
