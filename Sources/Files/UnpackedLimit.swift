import FoundationEssentials

/// The maximum size of decompressed data.
package enum UnpackedLimit {
  /// Users may set it to a number of bytes if a larger size is correct.
  package static let environmentVariable = "DDPM_UNPACKED_LIMIT"

  /// What to do if data exceed the limit but are correct.
  package static let advice = "if that is right, set the environment variable \(environmentVariable) to that many bytes"

  /// 20 times the stored size, but at least 256 MiB: images and their labels rarely compress to less than a tenth, and
  /// data that expand a thousandfold are made to exhaust memory. Users may raise the limit.
  package static func bytes(ofStored byteCount: Int) -> Int {
    let (product, overflows) = byteCount.multipliedReportingOverflow(by: 20)
    return max(overflows ? .max : product, usual, raised ?? 0)
  }

  private static let usual = 1 << 28

  /// The user's setting; nil if there is none.
  private static let setting = ProcessInfo.processInfo.environment[environmentVariable]

  private static let raised = setting.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }

  /// A message about an invalid setting; nil if it is valid or missing.
  package static var problem: String? {
    guard let setting, raised == nil else { return nil }
    return "\(environmentVariable) is \(setting); it must be a number of bytes, such as 4000000000"
  }
}
