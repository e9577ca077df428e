import Foundation
import Interchange

/// Statistics in a file as pytorch-fid reads and writes it: an archive of NumPy's with `mu` [D] and `sigma` [D, D].
///
/// Ours also say how many images there were (`count`) and where the numbers come from (`provenance`, JSON), which other
/// programs do not look at.
public struct StatisticsFile: Sendable, Equatable {
  public let statistics: FeatureStatistics
  /// JSON that the file's writer decides; nil in other programs' files.
  public let provenance: String?

  public init(_ statistics: FeatureStatistics, provenance: String?) {
    self.statistics = statistics
    self.provenance = provenance
  }

  /// Elements of `sigma` and its transpose may differ by so much, relative to the largest one: what is left of a
  /// covariance in single precision, whose sums were made in two orders.
  private static let asymmetry = 1e-5

  /// - Throws: `InterchangeError` for a file that cannot be read or holds no statistics.
  public init(readingFrom path: String) throws(InterchangeError) {
    try self.init(try NumpyArchive(readingFrom: path))
  }

  /// - Throws: `InterchangeError` if the arrays are no statistics.
  public init(_ archive: NumpyArchive) throws(InterchangeError) {
    let mean = try archive.doubles("mu")
    let covariance = try archive.doubles("sigma")
    let dimension = mean.count
    guard dimension > 0, archive.shape("mu") == [dimension], archive.shape("sigma") == [dimension, dimension] else {
      throw InterchangeError(
        archive.path,
        "mu has the shape \(archive.shape("mu") ?? []) and sigma \(archive.shape("sigma") ?? []), not [D] and [D, D]",
        advice: "give a file that pytorch-fid or ddpm-mpi has written")
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
      throw InterchangeError(archive.path, "mu or sigma holds \(value)", advice: "make the statistics again")
    }
    let count = archive.names.contains("count") ? try archive.integer("count") : nil
    if let count, count < 2 {
      throw InterchangeError(archive.path, "count is \(count), but statistics are of 2 images or more")
    }
    statistics = FeatureStatistics(mean: mean, covariance: covariance, count: count)
    provenance = archive.names.contains("provenance") ? try archive.text("provenance") : nil
  }

  /// The file's bytes. The same statistics make the same bytes.
  ///
  /// - Parameter path: what messages call the file.
  public func contents(path: String) throws(InterchangeError) -> Data {
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
