import Failures

/// Why a measure of fields cannot be computed, and what to do about it.
package enum FieldMeasureError: JobEndingError, Equatable, CustomStringConvertible {
  /// - name: what has the shape.
  case wrongShape(name: String, found: [Int], expected: [Int?])
  /// - location: the sample, the point and the channel of the number.
  case notFinite(location: String)
  /// - things: what there are too few of, in the plural.
  case tooFew(things: String, found: Int, minimum: Int, measure: String)
  case noSuchChannel(Int, channels: Int)
  /// - problem: what is wrong with a histogram's edges.
  case wrongEdges(problem: String)

  package var exitStatus: ExitStatus { if case .notFinite = self { .notFinite } else { .badInput } }
  package var description: String {
    switch self {
    case .wrongShape(let name, let found, let expected):
      "\(name) have the shape \(found), not [\(expected.map { $0.map(String.init) ?? "…" }.joined(separator: ", "))]; "
        + "compare fields of one grid with the same channels"
    case .notFinite(let location):
      "\(location) is not a finite number; check the fields, and the model if it has drawn them"
    case .tooFew(let things, let found, let minimum, let measure):
      "\(measure) needs at least \(minimum) \(things), but there \(found == 1 ? "is" : "are") \(found); use more"
    case .noSuchChannel(let channel, let channels):
      "there is no channel \(channel): the fields' channels are 0 to \(channels - 1)"
    case .wrongEdges(let problem):
      "\(problem); give two edges or more in ascending order, the same for histograms that are compared"
    }
  }
}
