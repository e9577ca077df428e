import CBuildTarget
import CProcessor
import Glibc

/// The processor that the kernels run on, and the one they were compiled for.
@usableFromInline package enum Processor {
  /// The vector width in bits of this build's kernels, except for products: see `MicroKernel`.
  package static var vectorBits: Int { Int(DDPM_VECTOR_BITS) }

  /// The instruction sets of this processor that are relevant to the kernels.
  package static var features: ProcessorFeatures { ProcessorFeatures(rawValue: ddpm_processor_features()) }

  /// The instruction sets that this build may use.
  package static var buildFeatures: ProcessorFeatures { ProcessorFeatures(rawValue: ddpm_build.features) }

  /// The processor that this build was compiled for, as the compiler was given it: `x86-64-v3`, `native`.
  package static var buildTarget: String { String(cString: ddpm_build_processor()) }

  /// The version of the C library, whose functions are part of what the kernels compute.
  package static var cLibraryVersion: String { String(cString: ddpm_c_library_version()) }

  /// The processor's name as reported by the system, or nil.
  package static var modelName: String? {
    guard let file = fopen("/proc/cpuinfo", "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 512)
    var first = ""
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(truncatingIfNeeded:)), as: UTF8.self)
      // One of many processors is enough.
      if text == "\n" && !first.isEmpty { break }
      first += text
    }
    return modelName(in: first)
  }

  /// The name in the lines of /proc/cpuinfo that describe a processor. On arm64 Linux prints numbers instead of it.
  package static func modelName(in lines: String) -> String? {
    var fields: [Substring: Substring] = [:]
    for line in lines.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      fields[line[..<colon].prefix { $0 != "\t" }] = line[line.index(after: colon)...].drop { $0 == " " }
    }
    if let name = fields["model name"] { return String(name) }
    guard let implementer = fields["CPU implementer"], let part = fields["CPU part"] else { return nil }
    return ArmProcessor.name(implementer: String(implementer), part: String(part))
      ?? "of implementer \(implementer), part \(part)"
  }
}
