/// How often the truth lies below all members, between the first and the second of them in ascending order, and so on
/// (Hamill, 2001). Counts are equal on average if the truth cannot be told from a member; they are high at both ends
/// for ensembles that are too narrow, in the middle for those that are too wide. Among equal numbers the truth's place
/// is drawn at random, by the seed, the case and the point alone.
package struct RankHistogram: Codable, Sendable, Equatable {
  /// Over all cases and points, for the ranks 0 … M: the number of members below the truth.
  package let counts: [Int]

  /// - Throws: `FieldMeasureError` if there are no cases, or no such channel.
  package init(_ sums: EnsembleSums, channel: Int) throws(FieldMeasureError) {
    _ = try sums.means(channel, minimumMembers: 1, measure: "a rank histogram")
    counts = sums.rankCounts[channel]
  }
}
