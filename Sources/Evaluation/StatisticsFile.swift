import FoundationEssentials
import Interchange

/// Statistics in the format that pytorch-fid reads and writes: a NumPy archive with `mu` [D] and `sigma` [D, D].
///
/// This program's files also contain the number of images (`count`) and the origin of the numbers (`provenance`, JSON),
/// which other programs ignore.
package struct StatisticsFile: Sendable, Equatable {
  package let statistics: FeatureStatistics
  /// JSON defined by the file's writer; nil in other programs' files.
  package let provenance: String?

  package init(_ statistics: FeatureStatistics, provenance: String?) {
    self.statistics = statistics
    self.provenance = provenance
  }

  /// The maximum difference between elements of `sigma` and its transpose, relative to the largest element: what
  /// rounding leaves of a single-precision covariance whose sums were computed in two orders.
  private static let asymmetry = 1e-5

  /// - Throws: `InterchangeError` for a file that cannot be read or contains no statistics.
  package init(readingFrom path: String) throws(InterchangeError) {
    try self.init(try NumpyArchive(readingFrom: path))
  }

  /// - Throws: `InterchangeError` if the arrays are not statistics.
  package init(_ archive: NumpyArchive) throws(InterchangeError) {
    let mean = try archive.doubles("mu")
    let covariance = try archive.doubles("sigma")
    let dimension = mean.count
    guard dimension > 0, archive.shape("mu") == [dimension], archive.shape("sigma") == [dimension, dimension] else {
      throw InterchangeError(
        archive.path,
        "mu has the shape \(archive.shape("mu") ?? []) and sigma \(archive.shape("sigma") ?? []), not [D] and [D, D]",
        advice: "use a file written by pytorch-fid or ddpm-mpi")
    }
    let largest = covariance.reduce(0) { max($0, $1.magnitude) }
    for row in 0..<dimension {
      for column in 0..<row {
        let difference = covariance[row * dimension + column] - covariance[column * dimension + row]
        guard !(difference.magnitude > Self.asymmetry * largest) else {
          throw InterchangeError(archive.path, "sigma is not symmetric at (\(row), \(column))")
        }
      }
    }
    for value in mean + covariance where !value.isFinite {
      throw InterchangeError(archive.path, "mu or sigma contains \(value)", advice: "compute the statistics again")
    }
    let count = archive.names.contains("count") ? try archive.integer("count") : nil
    if let count, count < 2 {
      throw InterchangeError(archive.path, "count is \(count), but statistics need at least 2 images")
    }
    statistics = FeatureStatistics(mean: mean, covariance: covariance, count: count)
    provenance = archive.names.contains("provenance") ? try archive.text("provenance") : nil
  }

  /// The file's contents. The same statistics give the same bytes.
  ///
  /// - Parameter path: the name of the file in messages.
  package func contents(path: String) throws(InterchangeError) -> Data {
    let dimension = statistics.dimension
    var arrays = [
      NumpyArchive.Array("mu", shape: [dimension], statistics.mean),
      NumpyArchive.Array("sigma", shape: [dimension, dimension], statistics.covariance),
    ]
    if let count = statistics.count { arrays.append(NumpyArchive.Array("count", integer: count)) }
    if let provenance { arrays.append(NumpyArchive.Array("provenance", text: provenance)) }
    return try NumpyArchive.contents(of: arrays, path: path)
  }
}
