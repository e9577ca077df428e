import CBuildTarget
import CProcessor

/// Instruction sets that the kernels may use, as bits of `ddpm_processor_feature`.
package struct ProcessorFeatures: OptionSet, Codable, Hashable, Sendable, CustomStringConvertible {
  package let rawValue: UInt32

  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let avx2 = Self(rawValue: DDPM_FEATURE_AVX2.rawValue)
  package static let fma = Self(rawValue: DDPM_FEATURE_FMA.rawValue)
  package static let avx512 = Self(rawValue: DDPM_FEATURE_AVX512F.rawValue)

  /// What the program in a file needs; nil if it is not a build of this one.
  package init?(ofBuildAt path: String) {
    var features: UInt32 = 0
    guard ddpm_read_build_features(path, &features) else { return nil }
    rawValue = features
  }

  package var count: Int { rawValue.nonzeroBitCount }

  /// Their names: `avx, avx2`.
  package var description: String {
    var text = [CChar](repeating: 0, count: 512)
    ddpm_feature_names(rawValue, &text, text.count)
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(truncatingIfNeeded:)), as: UTF8.self)
  }
}
