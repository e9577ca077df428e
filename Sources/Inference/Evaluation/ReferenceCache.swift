import Compression
import Evaluation
import FeatureNetworks
import Files
import FoundationEssentials
import Interchange
import Reporting
import TextFormatting

/// A cache of data computed from reference images: their statistics and, if measures need them, their features. Only
/// one rank accesses it.
package struct ReferenceCache: Sendable {
  let folder: String

  /// The environment variable that users may set instead of the option `--reference-cache`.
  package static let environmentVariable = "DDPM_REFERENCE_CACHE"
  /// The value that disables the cache.
  package static let none = "none"

  /// Features with more bytes than this are not cached.
  static let featureByteLimit = 1 << 30

  /// - Parameter option: a folder, or `none`; nil for the environment variable, or else the default folder.
  /// - Returns: nil if the cache is disabled.
  package init?(option: String?, environment: [String: String] = ProcessInfo.processInfo.environment) {
    let said = option ?? environment[Self.environmentVariable] ?? ""
    if said == Self.none { return nil }
    folder = said.isEmpty ? CacheFolder.ours(environment: environment) + "/references" : said
  }

  /// Everything that the numbers depend on. Files contain it, so that a file is never used for another key. Names are as
  /// in `StatisticsProvenance`: the statistics can be used like any other file.
  struct Key: Codable, Equatable {
    /// The data set's name, for users.
    var images: String
    /// The fingerprint of the data set, 16 hexadecimal digits.
    var fingerprint: String
    var split: String
    /// The number of images, from the start of the split.
    var count: Int
    /// [H, W, C].
    var imageShape: [Int]
    var features: String
    var featureHash: String
    /// The number of values per feature.
    var featureCount: Int
    /// Another build of the program may round differently.
    var program: String
  }

  struct Contents: Sendable {
    var statistics: FeatureStatistics
    /// The features of every image; nil if only the statistics are needed.
    var features: Features?
  }

  /// The cached contents for `key`; nil if there are none.
  /// - Throws: `InterchangeError` if a file is damaged.
  func find(_ key: Key, withFeatures: Bool) throws(InterchangeError) -> Contents? {
    let path = statisticsPath(key)
    guard fileExists(path) else { return nil }
    let file = try StatisticsFile(readingFrom: path)
    guard file.provenance.flatMap(Self.key) == key else { return nil }
    guard file.statistics.dimension == key.featureCount, file.statistics.count == key.count else {
      throw InterchangeError(path, "its statistics do not match its name")
    }
    guard withFeatures else { return Contents(statistics: file.statistics) }
    let featurePath = featurePath(key)
    guard fileExists(featurePath) else { return nil }
    let features = try Safetensors(readingFrom: featurePath)
    guard features.metadata["key"].flatMap(Self.key) == key else { return nil }
    guard features.shape(of: Self.featureName) == [key.count, key.featureCount] else {
      throw InterchangeError(featurePath, "its features do not match its name")
    }
    let values = try features.floats(Self.featureName)
    guard features.metadata["checksum"] == Self.checksum(values) else {
      throw InterchangeError(featurePath, "its features do not match their checksum")
    }
    return Contents(statistics: file.statistics, features: Features(values, dimension: key.featureCount))
  }

  /// Caches `contents`; files appear completely or not at all, so that other processes may access them at the same
  /// time.
  /// - Returns: the path.
  /// - Throws: `FileError` if a file cannot be written.
  func keep(_ contents: Contents, _ key: Key) throws -> String {
    try makeFolder(at: folder)
    let text = try jsonLine(key)
    if let features = contents.features, features.values.count <= Self.featureByteLimit / MemoryLayout<Float>.size {
      let tensor = Safetensors.Tensor(
        Self.featureName, shape: [features.count, features.dimension], features.values)
      try replaceFile(
        at: featurePath(key),
        with: Safetensors.contents(
          of: [tensor], metadata: ["key": text, "checksum": Self.checksum(features.values)]))
    }
    let path = statisticsPath(key)
    try replaceFile(at: path, with: StatisticsFile(contents.statistics, provenance: text).contents(path: path))
    return path
  }

  private func statisticsPath(_ key: Key) -> String { "\(folder)/\(name(key)).npz" }
  private func featurePath(_ key: Key) -> String { "\(folder)/\(name(key)).safetensors" }

  /// Without the program, so that a new build's files replace those of the previous one.
  private func name(_ key: Key) -> String { "\(key.featureHash)-\(key.fingerprint)-\(key.split)-\(key.count)" }

  private static let featureName = "features"

  private static func key(_ text: String) -> Key? { value(ofJSONLine: text.utf8) }

  private static func checksum(_ values: [Float]) -> String {
    String(printf: "%08x", values.withUnsafeBytes { crc32($0) })
  }

  /// The program's version and the CRC-32 of its executable file; nil if that cannot be read.
  static let program: String? = {
    guard let contents = try? Data(contentsOf: URL(fileURLWithPath: "/proc/self/exe"), options: .alwaysMapped) else {
      return nil
    }
    return ProgramVersion.current + String(printf: "-%08x", contents.withUnsafeBytes { crc32($0) })
  }()
}
