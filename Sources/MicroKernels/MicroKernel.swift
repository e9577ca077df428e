import CMicroKernels
import CProcessor

/// The innermost products for one kind of processor: 8 rows by a strip of 48 or 32 columns, held in registers.
///
/// Each element of a result is a chain of fused multiply-adds in a fixed order that depends only on its own row and
/// column, not on the rows beside it or on the strip. All processors therefore give the same bits.
///
/// An operation reads `best` once and passes it to its loops.
@usableFromInline package struct MicroKernel: Sendable {
  @usableFromInline let functions: ddpm_micro_kernel

  init(_ functions: ddpm_micro_kernel) { self.functions = functions }

  /// All micro-kernels for this architecture, the best first. The last one runs on any processor.
  package static let all: [MicroKernel] = {
    #if arch(x86_64)
      [MicroKernel(ddpm_avx512_kernel), MicroKernel(ddpm_avx2_kernel), .plain]
    #else
      [.plain]
    #endif
  }()

  /// The best micro-kernel for this processor.
  package static let best = best(for: ddpm_processor_features())

  /// The best micro-kernel for a processor with given features, bits of `ddpm_processor_feature`.
  package static func best(for features: UInt32) -> MicroKernel {
    all.first { $0.isSupported(by: features) } ?? .plain
  }

  /// The name of the instruction set.
  package var name: String { String(cString: functions.name) }

  /// Whether a processor with given features, bits of `ddpm_processor_feature`, can run it.
  package func isSupported(by features: UInt32) -> Bool { functions.features & ~features == 0 }
}

extension MicroKernel {
  /// The number of rows of a product.
  @inlinable package static var rows: Int { 8 }
  /// The number of columns of a product in double precision.
  @inlinable package static var preciseColumns: Int { 24 }

  /// C = A·B, or C += A·B if `accumulates`.
  ///
  /// - Parameters:
  ///   - width: the number of columns of the strip, 48 or 32.
  ///   - depth: the number of terms of each sum, at least one.
  ///   - a: a(r, k) is at r·rowStride + k·depthStride.
  ///   - b: b(k, c) is at k·bStride + c.
  ///   - c: c(r, c) is at r·cStride + c.
  @inlinable @inline(__always)
  package func multiply(
    width: Int, depth: Int, a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, b: UnsafePointer<Float>,
    bStride: Int, c: UnsafeMutablePointer<Float>, cStride: Int, accumulates: Bool
  ) {
    functions.multiply(width, depth, a, rowStride, depthStride, b, bStride, c, cStride, accumulates)
  }

  /// outputs(r, c) = max(Σ over runs and their elements k of patches(run, r)[k]·weights(run, k, c) + bias(c), minimum):
  /// the innermost product of a convolution.
  ///
  /// A patch is a sequence of runs of inputs, each at any address: the pixels under a kernel's taps, in place in the
  /// image, or zeros. No matrix of patches is ever written (Dukhan: "The indirect convolution algorithm",
  /// arXiv:1907.02129).
  ///
  /// - Parameters:
  ///   - width: the number of columns of the strip, 48 or 32.
  ///   - patches: [runs][8], the start of each run of each patch.
  ///   - weights: [runs][runLength][width].
  ///   - bias: [width].
  ///   - outputs: row r is at r·stride.
  @inlinable @inline(__always)
  package func multiplyPatches(
    width: Int, runs: Int, runLength: Int, patches: UnsafePointer<UnsafePointer<Float>>, weights: UnsafePointer<Float>,
    bias: UnsafePointer<Float>, minimum: Float, into outputs: UnsafeMutablePointer<Float>, stride: Int
  ) {
    functions.multiply_patches(width, runs, runLength, patches, weights, bias, minimum, outputs, stride)
  }

  /// C += A·B in double precision, for 8 rows and 24 columns. Each element adds its terms one after another.
  ///
  /// - Parameters:
  ///   - a: [depth, 8].
  ///   - b: [depth, 24].
  ///   - c: row r is at r·rowStride.
  @inlinable @inline(__always)
  package func addPrecise(
    depth: Int, a: UnsafePointer<Double>, b: UnsafePointer<Double>, to c: UnsafeMutablePointer<Double>, rowStride: Int
  ) {
    functions.add_precise(depth, a, b, c, rowStride)
  }
}
