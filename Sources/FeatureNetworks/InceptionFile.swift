import Files
import FoundationEssentials
import Interchange

/// Locates the weights of `InceptionNetwork` and says what to do if they are missing: they are public, but not ours to
/// redistribute.
package enum InceptionFile {
  /// The environment variable that users may set instead of the option `--inception-weights`.
  package static let environmentVariable = "DDPM_INCEPTION_WEIGHTS"

  /// The published file, its page and its checksum.
  package static let published = "pt_inception-2015-12-05-6726825d.pth"
  package static let publishedPage = "https://github.com/mseitzer/pytorch-fid/releases/tag/fid_weights"
  package static let publishedSHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"

  /// The default paths of the weights: this program's cache, also in the safetensors format, and the path where
  /// pytorch-fid stores them. The first existing file is used.
  package static func usualPaths(environment: [String: String], home: String) -> [String] {
    let ours = CacheFolder.ours(environment: environment, home: home)
    let torch =
      named(in: environment, "TORCH_HOME") ?? CacheFolder.shared(environment: environment, home: home) + "/torch"
    return ["\(ours)/\(published)", "\(ours)/inception-v3-fid.safetensors", "\(torch)/hub/checkpoints/\(published)"]
  }

  /// The path of the weights: the option's, else that of the environment variable, else the default.
  ///
  /// - Throws: `InterchangeError`, with instructions for getting the file, if it does not exist.
  package static func locate(
    option: String?, environment: [String: String] = ProcessInfo.processInfo.environment,
    home: String = URL.homeDirectory.path
  ) throws(InterchangeError) -> String {
    let fromEnvironment = named(in: environment, environmentVariable)
    let usual = usualPaths(environment: environment, home: home)
    let candidates = (option ?? fromEnvironment).map { [$0] } ?? usual
    if let found = candidates.first(where: fileExists) { return found }
    let origin =
      option != nil
      ? "given by --inception-weights"
      : fromEnvironment != nil ? "given by \(environmentVariable)" : "the default"
    throw InterchangeError(
      candidates[0], "there is no such file (\(origin)), and Inception's weights do not come with this program",
      advice: """
        download \(published) from \(publishedPage) (SHA-256 \(publishedSHA256)) to \(usual[0]), or to another path \
        that you set with --inception-weights or \(environmentVariable)
        """)
  }

  /// nil also if the variable is empty.
  private static func named(in environment: [String: String], _ variable: String) -> String? {
    environment[variable].flatMap { $0.isEmpty ? nil : $0 }
  }
}
