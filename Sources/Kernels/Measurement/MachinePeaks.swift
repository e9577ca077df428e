import CProcessor
import Glibc
import MicroKernels
import Tensors

/// Measures the peak performance of this machine, on all threads of a pool at once, to compare kernels with.
package struct MachinePeaks {
  private let workers: WorkerPool
  private let copySource: FloatBuffer
  private let copyTarget: FloatBuffer
  private let copyCount: Int

  /// The number of terms of each sum: the operands of a block then fill half of a first-level cache of 48 KiB or more.
  private static let depth = 128
  private static let width = 48

  package init(workers: WorkerPool) {
    self.workers = workers
    // Far larger than the last-level cache, whose size some machines do not report, but not so large that many ranks on
    // one machine run out of memory.
    let cacheSize = max(32 << 20, Int(sysconf(Int32(_SC_LEVEL3_CACHE_SIZE))))
    copyCount = min(4 * cacheSize, 256 << 20) / (vectorWidth * MemoryLayout<Float>.stride) * vectorWidth
    copySource = FloatBuffer(count: copyCount)
    copyTarget = FloatBuffer(count: copyCount)
    // Writes the memory once, since pages that were never written are not allocated.
    copySource.clear(on: workers)
    copyTarget.clear(on: workers)
  }

  /// Multiplications and additions per second of the innermost product with operands in the first-level cache. The
  /// measurement takes some hundredths of a second.
  package func measureArithmeticPerSecond() -> Double {
    let (depth, width, rows) = (Self.depth, Self.width, MicroKernel.rows)
    let kernel = MicroKernel.best
    let repetitions = 20_000
    let duration = ContinuousClock().measure {
      workers.forEach(workers.threadCount) { _ in
        withScratch((rows + width) * depth + rows * width) { operands in
          operands.update(repeating: 0, count: (rows + width) * depth)
          let (a, b) = (operands, operands + rows * depth)
          for _ in 0..<repetitions {
            kernel.multiply(
              width: width, depth: depth, a: a, rowStride: depth, depthStride: 1, b: b, bStride: width,
              c: b + width * depth, cStride: width, accumulates: false)
          }
        }
      }
    }
    return Double(workers.threadCount * repetitions * 2 * rows * width * depth) / duration.inSeconds
  }

  /// Bytes read and written per second while copying memory far larger than the caches. The measurement takes some
  /// hundredths of a second.
  package func measureCopiedBytesPerSecond() -> Double {
    let duration = ContinuousClock().measure {
      let share = roundUp((copyCount + workers.threadCount - 1) / workers.threadCount, vectorWidth)
      workers.forEachRange(copyCount, grain: share) { range in
        ddpm_copy_past_caches(
          copyTarget.pointer + range.lowerBound, copySource.pointer + range.lowerBound, range.count)
      }
    }
    return Double(2 * copyCount * MemoryLayout<Float>.stride) / duration.inSeconds
  }
}
