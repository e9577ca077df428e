import CBuildTarget
import CMicroKernels
import CProcessor
import Tensors

/// The products of bfloat16 numbers with sums in single precision, for one kind of processor.
///
/// Sums are made as the tile instruction TDPBF16PS makes them, 32 terms at a time: Σ of the even terms plus Σ of the
/// odd terms, each a chain of fused multiply-adds, is added to the sum so far. Denormal numbers count as zeros. All
/// implementations follow this order and give the same bits; on arm64, a sum just below the smallest normal number may
/// be zero instead of that number.
package struct RoundedKernel: Sendable {
  private let functions: ddpm_rounded_kernel

  package init(_ functions: ddpm_rounded_kernel) { self.functions = functions }

  /// All implementations for this architecture, the best first. The last one runs on any processor.
  package static let all: [RoundedKernel] = {
    #if arch(x86_64)
      let faster = [ddpm_amx_kernel, ddpm_avx512_rounded_kernel, ddpm_avx2_rounded_kernel]
    #else
      let faster: [ddpm_rounded_kernel] = []
    #endif
    return (faster + [ddpm_plain_rounded_kernel]).map(RoundedKernel.init)
  }()

  /// The best implementation for this processor that this process may use.
  package static let best = best(for: ddpm_processor_features(), usingTiles: Tiles.areUsed)

  /// The best implementation for a processor with given features, bits of `ddpm_processor_feature`.
  package static func best(for features: UInt32, usingTiles: Bool) -> RoundedKernel {
    let usable = usingTiles ? features : features & ~DDPM_FEATURE_AMX_BF16.rawValue
    return all.first { $0.isSupported(by: usable) } ?? RoundedKernel(ddpm_plain_rounded_kernel)
  }

  /// The name of the instruction set.
  package var name: String { String(cString: functions.name) }

  /// Whether a processor with given features, bits of `ddpm_processor_feature`, can run it. Tiles must also be
  /// permitted.
  package func isSupported(by features: UInt32) -> Bool { functions.features & ~features == 0 }

  /// What the number of rows must be a multiple of.
  package static let rowUnit = 16
  /// The number of terms that are added together; what the length of a run must be a multiple of.
  package static let depthUnit = 32

  /// C = A·B or, if `accumulates`, C += A·B, for columns of A in several runs, which follow each other in the sums. A
  /// sum may thus be divided among calls without changing a bit.
  ///
  /// - Parameters:
  ///   - rows: the number of rows of A and C, a multiple of 16.
  ///   - width: the number of columns of B and C, 16 or 32.
  ///   - a: the start of each run; element (r, k) of a run is at r·aStride + k.
  ///   - runLength: the number of columns of a run, a multiple of 32.
  ///   - b: [runs][runLength / 2][width][2].
  ///   - c: c(r, j) is at r·cStride + j.
  package func multiply(
    rows: Int, width: Int, a: [UnsafePointer<UInt16>], aStride: Int, runLength: Int, b: UnsafePointer<UInt16>,
    c: UnsafeMutablePointer<Float>, cStride: Int, accumulates: Bool = false
  ) {
    verify(rows % Self.rowUnit == 0 && runLength % Self.depthUnit == 0, "rows and runs must be whole tiles")
    verify(width == 16 || width == 32, "a strip has 16 or 32 columns")
    functions.multiply(rows, width, a.count, runLength, a, aStride, b, c, cStride, accumulates)
  }
}
