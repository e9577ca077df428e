import Foundation
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

  /// Where the weights are unless users say otherwise.
  public static func usualPath(home: String = NSHomeDirectory()) -> String {
    "\(home)/.cache/ddpm-mpi/inception-v3-fid.safetensors"
  }

  /// The file with the weights: the one that the option names, else the one that the environment names, else the usual.
  ///
  /// - Throws: `InterchangeError`, with all that is needed to make the file, if there is none.
  public static func locate(
    option: String?, environment: [String: String] = ProcessInfo.processInfo.environment,
    home: String = NSHomeDirectory()
  ) throws(InterchangeError) -> String {
    let fromEnvironment = environment[environmentVariable].flatMap { $0.isEmpty ? nil : $0 }
    let path = option ?? fromEnvironment ?? usualPath(home: home)
    if FileManager.default.fileExists(atPath: path) { return path }
    let origin =
      option != nil
      ? "which --inception-weights names"
      : fromEnvironment != nil ? "which \(environmentVariable) names" : "the default"
    throw InterchangeError(
      path, "there is no such file (\(origin)), and Inception's weights do not come with this program",
      advice: """
        download \(published) from \(publishedPage) (SHA-256 \(publishedSHA256)), and convert it, with a Python that \
        has torch and safetensors: python3 scripts/convert-inception.py \(published) \(path). The file is looked for \
        where --inception-weights says, else where \(environmentVariable) says, else at \(usualPath(home: home))
        """)
  }
}
