import Differentiation
import Kernels
import MessagePassing
import Tensors

/// The distribution of time in a rank's steps, compared with what the operations would ideally take on this machine.
package struct Profile: Sendable {
  /// One kind of operation, or a whole step; values are per step.
  package struct Row: Sendable, Encodable {
    package let operation: String
    package let seconds: Double
    /// As a fraction of the step's time.
    package let share: Double
    package let calls: Int
    /// 10⁹ multiplications and additions per second, counted as if the results had been computed directly; nil if there
    /// are none, as for all fields below. See `Work`.
    package let effectiveGflopPerSecond: Double?
    /// The same for the arithmetic that was performed.
    package let gflopPerSecond: Double?
    /// The arithmetic that was performed, as a fraction of the machine's peak.
    package let shareOfPeak: Double?
    /// 10⁹ bytes per second, with operands and results counted once.
    package let gbPerSecond: Double?
    /// The time of the arithmetic at its peak rate or of the data at copying speed, whichever is longer.
    package let idealSeconds: Double?
    /// `seconds` in units of `idealSeconds`.
    package let gap: Double?

    init(
      _ operation: String, seconds: Double, stepSeconds: Double, calls: Int = 0, work: Work = Work(),
      idealSeconds: Double = 0, peaks: Peaks
    ) {
      func perSecond(_ count: Int) -> Double? {
        count == 0 || seconds <= 0 ? nil : rounded(Double(count) * 1e-9 / seconds, places: 3)
      }
      self.operation = operation
      self.seconds = rounded(seconds, places: 7)
      share = rounded(seconds / stepSeconds, places: 5)
      self.calls = calls
      effectiveGflopPerSecond = perSecond(work.directArithmetic)
      gflopPerSecond = perSecond(work.arithmetic)
      shareOfPeak = gflopPerSecond.map { rounded($0 * 1e9 / peaks.arithmeticPerSecond, places: 4) }
      gbPerSecond = perSecond(work.bytes)
      self.idealSeconds = idealSeconds > 0 ? rounded(idealSeconds, places: 9) : nil
      gap = idealSeconds > 0 ? rounded(seconds / idealSeconds, places: 3) : nil
    }
  }

  /// The values that the rows are compared with, and the arithmetic of an image.
  package struct Scale: Sendable, Encodable {
    /// The number of measured steps, over which the rows are averaged.
    package let steps: Int
    /// The number of images per step on the rank.
    package let images: Int
    /// 10⁹ multiplications and additions per second of all threads of the rank, with operands in the first-level cache,
    /// while all ranks do the same.
    package let peakGflopPerSecond: Double
    /// 10⁹ bytes that the rank's threads read and write per second when copying, while all ranks do the same.
    package let copyGbPerSecond: Double
    /// 10⁹ multiplications and additions per image if all results were computed directly.
    package let directGflopPerImage: Double
    /// 10⁹ multiplications and additions per image that are performed.
    package let gflopPerImage: Double
  }

  /// Longest first; `other`, the time outside of all operations, comes last.
  package let rows: [Row]
  /// The sum of all rows, with the time of the step.
  package let step: Row
  package let scale: Scale
}

extension Profile {
  /// - Parameters:
  ///   - totals: the totals over all measured steps.
  ///   - secondsPerStep: the time of each measured step.
  ///   - images: the number of images per step on this rank.
  init(_ totals: [Profiler.Kind: Profiler.Total], secondsPerStep: [Double], images: Int, peaks: Peaks) {
    let steps = secondsPerStep.count
    let stepSeconds = secondsPerStep.reduce(0, +) / Double(steps)
    var (sum, calls, seconds, idealSeconds) = (Work(), 0, 0.0, 0.0)
    var rows: [Row] = []
    for (kind, total) in totals {
      let work = total.work.divided(by: steps)
      let ideal = peaks.idealSeconds(work)
      rows.append(
        Row(
          kind.name, seconds: total.seconds / Double(steps), stepSeconds: stepSeconds, calls: total.calls / steps,
          work: work, idealSeconds: ideal, peaks: peaks))
      sum += work
      calls += total.calls / steps
      seconds += total.seconds / Double(steps)
      idealSeconds += ideal
    }
    // A dictionary has no defined order.
    rows.sort { ($1.seconds, $0.operation) < ($0.seconds, $1.operation) }
    rows.append(Row("other", seconds: stepSeconds - seconds, stepSeconds: stepSeconds, peaks: peaks))
    let step = Row(
      "whole step", seconds: stepSeconds, stepSeconds: stepSeconds, calls: calls, work: sum, idealSeconds: idealSeconds,
      peaks: peaks)
    let scale = Scale(
      steps: steps, images: images, peakGflopPerSecond: rounded(peaks.arithmeticPerSecond * 1e-9, places: 2),
      copyGbPerSecond: rounded(peaks.copiedBytesPerSecond * 1e-9, places: 3),
      directGflopPerImage: rounded(Double(sum.directArithmetic) * 1e-9 / Double(images), places: 4),
      gflopPerImage: rounded(Double(sum.arithmetic) * 1e-9 / Double(images), places: 4))
    self.init(rows: rows, step: step, scale: scale)
  }
}

/// The peak performance of a rank.
struct Peaks {
  let arithmeticPerSecond: Double
  let copiedBytesPerSecond: Double

  /// The best of several measurements, in which all ranks take part at the same time. Collective.
  static func measure(_ communicator: Communicator, _ workers: WorkerPool) throws -> Peaks {
    let machine = MachinePeaks(workers: workers)
    func best(_ measure: () -> Double) throws -> Double {
      var best = 0.0
      for _ in 0..<7 {
        try communicator.barrier()
        best = max(best, measure())
      }
      return best
    }
    return Peaks(
      arithmeticPerSecond: try best(machine.measureArithmeticPerSecond),
      copiedBytesPerSecond: try best(machine.measureCopiedBytesPerSecond))
  }

  func idealSeconds(_ work: Work) -> Double {
    max(Double(work.arithmetic) / arithmeticPerSecond, Double(work.bytes) / copiedBytesPerSecond)
  }
}

extension Work {
  /// The work of one of `count` equal steps.
  fileprivate func divided(by count: Int) -> Work {
    var part = self
    part.arithmetic /= count
    part.directArithmetic /= count
    part.bytes /= count
    return part
  }
}
