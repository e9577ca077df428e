import Evaluation
import Foundation
import Interchange
import Tensors
import Testing

@Suite struct FeatureStatisticsTests {
  /// Sums of a few hundred terms, a tenth of which cancels.
  static let tolerance = 1e-13

  /// By the definition: means first, then the deviations from them.
  private func direct(_ features: Features) -> (mean: [Double], covariance: [Double]) {
    let (count, dimension) = (features.count, features.dimension)
    let mean = (0..<dimension).map { index in
      (0..<count).reduce(0) { $0 + Double(features.values[$1 * dimension + index]) } / Double(count)
    }
    var covariance = [Double](repeating: 0, count: dimension * dimension)
    for image in 0..<count {
      let deviations = (0..<dimension).map { Double(features.values[image * dimension + $0]) - mean[$0] }
      for row in 0..<dimension {
        for column in 0..<dimension { covariance[row * dimension + column] += deviations[row] * deviations[column] }
      }
    }
    return (mean, covariance.map { $0 / Double(count - 1) })
  }

  @Test(arguments: [(2, 1), (7, 3), (300, 50), (40, 61), (600, 24)])
  func meanAndCovarianceAgreeWithTheDefinition(count: Int, dimension: Int) throws {
    let features = TestFeatures.rectified(count, dimension: dimension, seed: 1, shift: 0.2)
    let expected = direct(features)
    let statistics = try FeatureStatistics(features, workers: .callingThread)
    #expect(statistics.count == count && statistics.dimension == dimension)
    for (value, expected) in zip(statistics.mean, expected.mean) { #expect(abs(value - expected) < Self.tolerance) }
    for (value, expected) in zip(statistics.covariance, expected.covariance) {
      #expect(abs(value - expected) < 10 * Self.tolerance)
    }
    for row in 0..<dimension {
      for column in 0..<dimension {
        #expect(statistics.covariance[row * dimension + column] == statistics.covariance[column * dimension + row])
      }
    }
  }

  @Test func numberOfThreadsDoesNotMatter() throws {
    let features = TestFeatures.rectified(530, dimension: 70, seed: 2)
    let statistics = try TestFeatures.pools.map { try FeatureStatistics(features, workers: $0) }
    #expect(statistics[1] == statistics[0] && statistics[2] == statistics[0])
  }

  @Test func unusableFeaturesAreRefused() {
    #expect(throws: EvaluationError.tooFewImages(1, minimum: 2, measure: "a covariance")) {
      try FeatureStatistics(Features([1, 2], dimension: 2), workers: .callingThread)
    }
    #expect(throws: EvaluationError.notFinite(location: "number 1 of image 0")) {
      try FeatureStatistics(Features([1, .infinity, 3, 4], dimension: 2), workers: .callingThread)
    }
  }

  @Test func statisticsRoundTrip() throws {
    let statistics = try FeatureStatistics(
      TestFeatures.rectified(20, dimension: 5, seed: 3), workers: .callingThread)
    for provenance in [#"{"network": "ä"}"#, nil] {
      let file = StatisticsFile(statistics, provenance: provenance)
      let contents = try file.contents(path: "x.npz")
      #expect(try StatisticsFile(NumpyArchive(contents, path: "x.npz")) == file)
      #expect(try file.contents(path: "x.npz") == contents)
    }
  }

  @Test func arraysThatAreNotStatisticsAreRefused() throws {
    let mean = NumpyArchive.Array("mu", shape: [2], [0, 1])
    for arrays in [
      [mean], [mean, NumpyArchive.Array("sigma", shape: [4], [1, 0, 0, 1])],
      [mean, NumpyArchive.Array("sigma", shape: [1, 1], [1])],
      [mean, NumpyArchive.Array("sigma", shape: [2, 2], [1, 0.5, 0, 1])],
      [mean, NumpyArchive.Array("sigma", shape: [2, 2], [1, 0, 0, .nan])],
      [mean, NumpyArchive.Array("sigma", shape: [2, 2], [1, 0, 0, 1]), NumpyArchive.Array("count", text: "2")],
      [NumpyArchive.Array("mu", shape: [0], []), NumpyArchive.Array("sigma", shape: [0, 0], [])],
    ] {
      let archive = try NumpyArchive(try NumpyArchive.contents(of: arrays, path: "x.npz"), path: "x.npz")
      #expect { try StatisticsFile(archive) } throws: { "\($0)".hasPrefix("x.npz: ") && $0 is InterchangeError }
    }
  }
}
