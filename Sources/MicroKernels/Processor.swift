import CBuildTarget
import CProcessor
import Glibc

/// The processor that the kernels run on, and the one they were compiled for.
@usableFromInline package enum Processor {
  /// The vector width in bits of this build's kernels, except for products: see `MicroKernel`.
  package static var vectorBits: Int { Int(DDPM_VECTOR_BITS) }

  /// The instruction sets of this processor that are relevant to the kernels.
  package static var features: String { names(ddpm_processor_features()) }

  /// The instruction sets that this build may use.
  package static var buildFeatures: String { names(ddpm_build_features) }

  /// The processor's name as reported by the system, or nil.
  package static var modelName: String? {
    guard let file = fopen("/proc/cpuinfo", "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 512)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      guard text.hasPrefix("model name"), let colon = text.firstIndex(of: ":") else { continue }
      let name = text[text.index(after: colon)...].drop { $0 == " " }
      return String(name.prefix { $0 != "\n" })
    }
    return nil
  }

  private static func names(_ features: UInt32) -> String {
    var text = [CChar](repeating: 0, count: 256)
    ddpm_feature_names(features, &text, text.count)
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
