import CBuildTarget
import COpenBLAS
import CProcessor
import Glibc

/// What the kernels run on, and whether the libraries know it.
public enum Processor {
  /// Width in bits of the vectors that this build's kernels use.
  public static var vectorBits: Int { Int(DDPM_VECTOR_BITS) }

  /// The instruction sets of this processor that matter to the kernels.
  public static var features: String { names(ddpm_processor_features()) }

  /// The instruction sets that this build may use.
  public static var buildFeatures: String { names(ddpm_build_features) }

  /// The processor's name as the system gives it, or nil.
  public static var modelName: String? {
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

  // MARK: OpenBLAS

  /// OpenBLAS's kernel families that use 512-bit vectors.
  private static let wideFamilies: Set<String> = ["SkylakeX", "Cooperlake", "Sapphirerapids"]

  /// Whether OpenBLAS took kernels for narrower vectors than the processor has: releases older than a processor do not
  /// know it, and take half its speed.
  public static var blasMisjudgesProcessor: Bool {
    let hasWideVectors = ddpm_processor_features() & UInt32(DDPM_FEATURE_AVX512BW.rawValue) != 0
    return hasWideVectors && !wideFamilies.contains { $0.lowercased() == MatrixProduct.kernelFamily.lowercased() }
  }

  /// The environment variable by which OpenBLAS can be told; it is read when the library loads, before `main`.
  public static let blasVariable = "OPENBLAS_CORETYPE"

  /// Set beside `blasVariable` when this program chose, so that the choice is not taken for the user's.
  private static let restartMark = "DDPM_MPI_CHOSE_BLAS"

  /// Whether `blasVariable` was set by `restartWithSuitableBLAS`.
  public static var didChooseBLAS: Bool { getenv(restartMark) != nil }

  /// Starts the program anew with OpenBLAS set right, if OpenBLAS misjudges the processor and the user did not choose.
  ///
  /// Call it first of all, before MPI is initialised. Returns if nothing is to be done, or if it cannot be done.
  public static func restartWithSuitableBLAS() {
    guard blasMisjudgesProcessor, getenv(blasVariable) == nil else { return }
    setenv(blasVariable, "SkylakeX", 1)
    setenv(restartMark, "1", 1)
    _ = execv("/proc/self/exe", CommandLine.unsafeArgv)
    unsetenv(blasVariable)
    unsetenv(restartMark)
  }
}
