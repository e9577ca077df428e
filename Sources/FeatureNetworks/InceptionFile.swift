import Files
import Foundation
import Inception
import Interchange

/// Where the weights of `InceptionNetwork` are looked for, and what to do if they are not there: they are public, but
/// not ours to give away.
public enum InceptionFile {
  /// What users may set instead of the option `--inception-weights`.
  public static let environmentVariable = "DDPM_INCEPTION_WEIGHTS"

  /// The published file, its page and its checksum.
  public static let published = "pt_inception-2015-12-05-6726825d.pth"
  public static let publishedPage = "https://github.com/mseitzer/pytorch-fid/releases/tag/fid_weights"
  public static let publishedSHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"

  /// Where the weights are unless users say otherwise: in this program's cache, also in the safetensors format, or where
  /// pytorch-fid has stored them. The first that is there is taken.
  public static func usualPaths(environment: [String: String], home: String) -> [String] {
    let ours = CacheFolder.ours(environment: environment, home: home)
    let torch =
      named(in: environment, "TORCH_HOME") ?? CacheFolder.shared(environment: environment, home: home) + "/torch"
    return ["\(ours)/\(published)", "\(ours)/inception-v3-fid.safetensors", "\(torch)/hub/checkpoints/\(published)"]
  }

  /// The file with the weights: the one that the option names, else the one that the environment names, else the usual.
  ///
  /// - Throws: `InterchangeError`, with all that is needed to get the file, if there is none.
  public static func locate(
    option: String?, environment: [String: String] = ProcessInfo.processInfo.environment,
    home: String = NSHomeDirectory()
  ) throws(InterchangeError) -> String {
    let fromEnvironment = named(in: environment, environmentVariable)
    let usual = usualPaths(environment: environment, home: home)
    let candidates = (option ?? fromEnvironment).map { [$0] } ?? usual
    if let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0) }) { return found }
    let origin =
      option != nil
      ? "which --inception-weights names"
      : fromEnvironment != nil ? "which \(environmentVariable) names" : "the default"
    throw InterchangeError(
      candidates[0], "there is no such file (\(origin)), and Inception's weights do not come with this program",
      advice: """
        download \(published) from \(publishedPage) (SHA-256 \(publishedSHA256)) to \(usual[0]), or to another place \
        that you name by --inception-weights or \(environmentVariable)
        """)
  }

  /// nil where the variable is empty too.
  private static func named(in environment: [String: String], _ variable: String) -> String? {
    environment[variable].flatMap { $0.isEmpty ? nil : $0 }
  }
}
