import Datasets
import Reporting
import TextFormatting

/// Bits per dimension of some images.
package struct LikelihoodResult: Sendable {
  package let method: LikelihoodJob.Method
  package let checkpoint: String
  package let dataset: String
  package let split: DatasetSplit
  /// The names of the parts of the bits.
  package let parts: [String]
  /// The parts of each image.
  package let bits: [Double]
  /// Network evaluations per image, the maximum over all images.
  package let evaluations: Int

  package init(
    method: LikelihoodJob.Method, checkpoint: String, dataset: String, split: DatasetSplit, parts: [String],
    bits: [Double], evaluations: Int
  ) {
    self.method = method
    self.checkpoint = checkpoint
    self.dataset = dataset
    self.split = split
    self.parts = parts
    self.bits = bits
    self.evaluations = evaluations
  }

  package var count: Int { bits.count / parts.count }

  /// The bits of each image.
  package var imageBits: [Double] {
    (0..<count).map { bits[$0 * parts.count..<($0 + 1) * parts.count].reduce(0, +) }
  }

  /// The mean over the images.
  package var bitsPerDimension: Double { imageBits.reduce(0, +) / Double(count) }

  /// The standard error of the mean; nil for a single image.
  package var standardError: Double? {
    guard count > 1 else { return nil }
    let mean = bitsPerDimension
    let variance = imageBits.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count - 1)
    return (variance / Double(count)).squareRoot()
  }

  /// The mean of each part.
  package var partMeans: [(name: String, bits: Double)] {
    parts.enumerated().map { index, name in
      (name, stride(from: index, to: bits.count, by: parts.count).reduce(0) { $0 + bits[$1] } / Double(count))
    }
  }

  /// The result for users.
  package var text: String {
    let error = standardError.map { " ± \(String(printf: "%.4f", $0))" } ?? ""
    let what = method == .bound ? "variational bound" : "probability flow"
    var text =
      "\(String(printf: "%.4f", bitsPerDimension))\(error) bits per dimension (\(what); "
      + "\(ProgressFormat.count(count, of: "\(split.rawValue) image")) of \(dataset), "
      + "\(ProgressFormat.count(evaluations, of: "evaluation")) of the network per image)"
    if parts.count > 1 {
      text += "\n" + partMeans.map { "\($0.name) \(String(printf: "%.5f", $0.bits))" }.joined(separator: ", ")
    }
    return text
  }

  /// The result as one line for scripts.
  package var json: String {
    get throws {
      struct Line: Encodable {
        var bitsPerDimension: Double
        var standardError: Double?
        var count: Int
        var method: String
        var dataset: String
        var split: String
        var evaluations: Int
        var checkpoint: String
        var parts: [String: Double]
      }
      return try jsonLine(
        Line(
          bitsPerDimension: bitsPerDimension, standardError: standardError, count: count, method: method.rawValue,
          dataset: dataset, split: split.rawValue, evaluations: evaluations, checkpoint: checkpoint,
          parts: Dictionary(uniqueKeysWithValues: partMeans.map { ($0.name, $0.bits) })))
    }
  }
}
