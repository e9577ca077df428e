import Tensors

// Between 3x3 kernels [3, 3, in, out] and their 36 points.
extension Winograd {
  /// U = G·g·Gᵀ in strips of 32 output channels, for the forward convolution.
  public static func transformKernel(
    _ kernel: UnsafePointer<Float>, inChannels: Int, outChannels: Int, into transformed: UnsafeMutablePointer<Float>,
    workers: WorkerPool
  ) {
    let strips = stripCount(outChannels)
    workers.forEachRange(inChannels, grain: 16) { depths in
      withUnsafeTemporaryAllocation(of: Vector.self, capacity: 27) { scratch in
        let taps = scratch.baseAddress!
        for strip in 0..<strips {
          for depth in depths {
            for half in stride(from: 0, to: MicroKernel.columns, by: 16) {
              let channel = strip * MicroKernel.columns + half
              let lanes = max(0, min(16, outChannels - channel))
              for tap in 0..<9 {
                let source = kernel + (tap * inChannels + depth) * outChannels + channel
                taps[tap] = lanes == 16 ? load16(source) : loadPartial(source, lanes)
              }
              let target = transformed + (strip * inChannels + depth) * MicroKernel.columns + half
              transformTaps(taps, into: target, pointStride: strips * inChannels * MicroKernel.columns)
            }
          }
        }
      }
    }
  }

  /// U of the adjoint convolution: the kernel turned by half a turn, with inputs and outputs exchanged. Convolving dy
  /// with it gives dx.
  public static func transformKernelForInputGradient(
    _ kernel: UnsafePointer<Float>, inChannels: Int, outChannels: Int, into transformed: UnsafeMutablePointer<Float>,
    workers: WorkerPool
  ) {
    let strips = stripCount(inChannels)
    workers.forEachRange(outChannels, grain: 16) { depths in
      withUnsafeTemporaryAllocation(of: Vector.self, capacity: 27 + 9 * 16) { scratch in
        let taps = scratch.baseAddress!
        let turned = taps + 27
        for strip in 0..<strips {
          for half in stride(from: 0, to: MicroKernel.columns, by: 16) {
            let channel = strip * MicroKernel.columns + half
            let lanes = max(0, min(16, inChannels - channel))
            // A 16x16 block of (in, out), transposed for each tap; taps in reverse order.
            for tap in 0..<9 {
              let block = turned + (8 - tap) * 16
              for depth in 0..<depths.count { block[depth] = .zero }
              for lane in 0..<lanes {
                let source = kernel + (tap * inChannels + channel + lane) * outChannels + depths.lowerBound
                for depth in 0..<depths.count { block[depth][lane] = source[depth] }
              }
            }
            for depth in 0..<depths.count {
              for tap in 0..<9 { taps[tap] = turned[tap * 16 + depth] }
              let row = strip * outChannels + depths.lowerBound + depth
              transformTaps(
                taps, into: transformed + row * MicroKernel.columns + half,
                pointStride: strips * outChannels * MicroKernel.columns)
            }
          }
        }
      }
    }
  }

  /// Nine taps to 36 points; `taps` has room for 18 vectors of scratch behind them.
  @inline(__always)
  private static func transformTaps(_ taps: VectorTable, into target: UnsafeMutablePointer<Float>, pointStride: Int) {
    let columns = taps + 9
    for j in 0..<3 {
      WinogradTransform.kernel(taps[j], taps[3 + j], taps[6 + j]) { columns[$0 * 3 + j] = $1 }
    }
    for i in 0..<6 {
      WinogradTransform.kernel(columns[i * 3], columns[i * 3 + 1], columns[i * 3 + 2]) { point, value in
        store16(value, target + (i * 6 + point) * pointStride)
      }
    }
  }

  /// dKernel += Gᵀ·dU·G.
  static func accumulateKernelTaps(
    _ gradient: UnsafePointer<Float>, paddedDepth: Int, dKernel: UnsafeMutablePointer<Float>, geometry: Geometry,
    workers: WorkerPool
  ) {
    let (inChannels, outChannels) = (geometry.inChannels, geometry.outChannels)
    let strips = stripCount(outChannels)
    let pointStride = strips * paddedDepth * MicroKernel.columns
    workers.forEachRange(inChannels, grain: 16) { depths in
      withUnsafeTemporaryAllocation(of: Vector.self, capacity: 18) { scratch in
        let columns = scratch.baseAddress!
        for strip in 0..<strips {
          for depth in depths {
            for half in stride(from: 0, to: MicroKernel.columns, by: 16) {
              let channel = strip * MicroKernel.columns + half
              let lanes = min(16, outChannels - channel)
              if lanes <= 0 { continue }
              let source = gradient + (strip * paddedDepth + depth) * MicroKernel.columns + half
              for j in 0..<6 {
                WinogradTransform.kernelAdjoint(
                  load16(source + j * pointStride), load16(source + (6 + j) * pointStride),
                  load16(source + (12 + j) * pointStride), load16(source + (18 + j) * pointStride),
                  load16(source + (24 + j) * pointStride), load16(source + (30 + j) * pointStride)
                ) { columns[$0 * 6 + j] = $1 }
              }
              for i in 0..<3 {
                let r = columns + i * 6
                WinogradTransform.kernelAdjoint(r[0], r[1], r[2], r[3], r[4], r[5]) { j, value in
                  let target = dKernel + ((i * 3 + j) * inChannels + depth) * outChannels + channel
                  if lanes == 16 {
                    store16(load16(target) + value, target)
                  } else {
                    for lane in 0..<lanes { target[lane] += value[lane] }
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}
