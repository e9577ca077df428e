import Foundation

/// How many bytes may come of compressed ones.
public enum UnpackedLimit {
  /// What users may set to a number of bytes, where more is right.
  public static let environmentVariable = "DDPM_UNPACKED_LIMIT"

  /// What to do about data that are beyond the limit, and right.
  public static let advice = "if that is right, set the environment variable \(environmentVariable) to as many bytes"

  /// 20 times as many, or 256 MiB where that is more: images and their labels seldom shrink to less than a tenth, and what
  /// grows to a thousand times its size is made to fill memory. Users may raise it.
  public static func bytes(ofStored byteCount: Int) -> Int {
    let (product, overflows) = byteCount.multipliedReportingOverflow(by: 20)
    return max(overflows ? .max : product, usual, raised ?? 0)
  }

  private static let usual = 1 << 28

  /// What users have set; nil if they have not.
  private static let raised = ProcessInfo.processInfo.environment[environmentVariable].flatMap(bytes)

  private static func bytes(_ text: String) -> Int? { Int(text).flatMap { $0 > 0 ? $0 : nil } }

  /// What is wrong with what users have set; nil if nothing is.
  public static func problem(environment: [String: String] = ProcessInfo.processInfo.environment) -> String? {
    guard let text = environment[environmentVariable], bytes(text) == nil else { return nil }
    return "\(environmentVariable) is \(text); it must be a number of bytes, such as 4000000000"
  }
}
